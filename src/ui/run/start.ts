/** The first minute: boot the engine, bring back the last session, or create one from the example and run it. */
import type { BackendReport } from '../../runtime/protocol.ts';
import { reportError } from '../state/problem-store.ts';
import { useExample } from '../state/example-store.ts';
import { useSession } from '../state/session-store.ts';
import { createSession, ingest, openSession, run } from './session-actions.ts';
import { send } from './engine-session.ts';
import { loadExample } from './example.ts';

const MODEL_ID = 'tiny';
const MODEL_BASE_URL = './models/';

export type BackendChoice = 'auto' | BackendReport['id'];

/** Boot with a backend and bring the page to life. Never throws; failures become problems. */
export async function start(backend: BackendChoice): Promise<void> {
  const opened = useSession.getState().session?.record.id;
  useSession.setState({ phase: 'booting', progress: null });
  const example = loadExample().then(
    (loaded) => {
      useExample.setState({ example: loaded });
      return loaded;
    },
    (error: unknown) => {
      reportError('The embedded example could not be loaded', error);
      return null;
    },
  );
  try {
    const boot = await send({ kind: 'boot', modelId: MODEL_ID, modelBaseUrl: MODEL_BASE_URL, backend });
    useSession.setState({ boot, phase: 'opening', progress: null });
    const sessions = await send({ kind: 'listSessions' });
    useSession.setState({ sessions });
    const last =
      sessions.find(({ id }) => id === opened) ?? [...sessions].sort((a, b) => b.updatedAt - a.updatedAt)[0];
    if (last) {
      await openSession(last.id);
      const state = useSession.getState().session;
      if (state && state.pendingTokens > 0 && !state.readOnly) await run();
      return;
    }
    const loaded = await example;
    await createSession(loaded?.title ?? 'First session');
    if (loaded && (await ingest(loaded.text, loaded.title, 'document'))) await run();
  } catch (error) {
    useSession.setState({ phase: 'failed', progress: null });
    reportError('The engine could not start', error);
  }
}
