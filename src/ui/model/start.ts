/** The first minute: boot the engine, bring back the last session, or create one from the example and run it. */
import type { BackendReport, BootReport, SessionRecord } from '../../runtime/engine/protocol/protocol.ts';
import { report, reportError } from './problem-store.ts';
import { useExample } from '../features/share/example-store.ts';
import { useSession } from './session-store.ts';
import { startPreset } from '../features/presets/apply-preset.ts';
import { applyLink } from '../features/share/address-sync.ts';
import type { LinkState } from '../features/share/link-state.ts';
import { applyView, readAddress, targetOf } from '../features/share/page-link.ts';
import { createSession, openSession, run } from './session-actions.ts';
import { send } from './engine-session.ts';
import { type Example, loadExample } from './example.ts';

const MODEL_ID = 'tiny';
const MODEL_BASE_URL = './models/';

export type BackendChoice = 'auto' | BackendReport['id'];

/** Boot with a backend and bring the page to life. Never throws; failures become problems. */
export async function start(backend: BackendChoice): Promise<void> {
  const opened = useSession.getState().session?.record.id;
  useSession.setState({ phase: 'booting', progress: null });
  const link = opened === undefined ? readAddress() : null;
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
    const loaded = opened === undefined && link ? await example : null;
    if (link && loaded) {
      await openLink(link, boot, sessions, loaded);
      return;
    }
    const last =
      sessions.find(({ id }) => id === opened) ?? [...sessions].sort((a, b) => b.updatedAt - a.updatedAt)[0];
    if (last) {
      await openSession(last.id);
      await resume();
      return;
    }
    const first = await example;
    await createSession(first?.title ?? 'First session', {}, first);
  } catch (error) {
    useSession.setState({ phase: 'failed', progress: null });
    reportError('The engine could not start', error);
  }
}

/** Ingest what was still waiting when the session was closed. */
async function resume(): Promise<void> {
  const state = useSession.getState().session;
  if (state && state.pendingTokens > 0 && !state.readOnly) await run();
}

/** Open what a link names, or the example with its parameters. */
async function openLink(
  link: LinkState,
  boot: BootReport,
  sessions: readonly SessionRecord[],
  example: Example,
): Promise<void> {
  const config = { ...boot.defaults, ...link.parameters };
  const target = targetOf(link, sessions, { title: example.title, config });
  if (target.kind === 'session') {
    await openSession(target.id);
    await resume();
    await applyLink(link);
    return;
  }
  if (target.kind === 'preset') {
    applyView(link);
    await startPreset(target.id, link.parameters);
    return;
  }
  // The linked place is reached sooner at full speed; the reader came to see that place.
  if (link.step !== undefined) useSession.setState({ pace: 0 });
  await createSession(example.title, link.parameters, example);
  applyView(link);
  if (target.isSubstitute) {
    report({
      title: 'The linked session is in another browser',
      message: 'A link does not carry the text of a session. The example is shown instead.',
      kept: 'Parameters and view of the link were applied to it.',
      tryNext: 'Ask for the trace as a file and open it from the session menu.',
      tone: 'info',
    });
  }
}
