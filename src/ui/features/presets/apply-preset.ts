/** Tells a preset's story in a session of its own; the session that was open stays in the list. */
import type { RunConfig } from '../../../core/trace/config.ts';
import { ask, createSession, ingest, run, setParameters } from '../../model/session-actions.ts';
import { useExample } from '../share/example-store.ts';
import { usePreset } from './preset-store.ts';
import { report, reportError } from '../../model/problem-store.ts';
import { canChangeSession, useSession } from '../../model/session-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { closeRecording } from '../share/recording.ts';
import { chaptersOf, type Preset, presetsFor } from './presets.ts';

/** Start a preset because the user chose it: not while another session is on its way, whose text it could catch. */
export function choosePreset(id: Preset['id']): void {
  if (canChangeSession(useSession.getState())) void startPreset(id);
  else reportTooEarly();
}

/**
 * Start a preset by its id. Does nothing until model and example are loaded.
 *
 * @param changes - parameters to start with instead; a story that changes parameters itself is told unchanged.
 */
export async function startPreset(id: Preset['id'], changes: Partial<RunConfig> = {}): Promise<void> {
  const { boot } = useSession.getState();
  const { example } = useExample.getState();
  const preset = boot && presetsFor(boot.defaults).find((each) => each.id === id);
  if (!preset || !example) {
    reportTooEarly();
    return;
  }
  closeRecording();
  try {
    const [firstChapters, ...otherChapters] = preset.chapters;
    const config = preset.turn ? preset.config : { ...preset.config, ...changes };
    const firstText = { text: chaptersOf(example.text, firstChapters), title: example.title };
    const sessionId = await createSession(preset.title, config, firstText);
    if (sessionId === null) return;
    useShell.setState({ mobileTab: 'timeline' });
    usePreset.setState({ sessionId, preset, watch: preset.watch, question: null });
    if (!(await read(sessionId, 0))) return;
    for (const chapters of otherChapters) {
      if (preset.turn && !(await turn(preset.turn))) return;
      const cursorBefore = useSession.getState().session?.cursor ?? 0;
      const title = `${example.title}, continued`;
      if (!(await ingest(chaptersOf(example.text, chapters), title, 'document'))) return;
      await run();
      if (!(await read(sessionId, cursorBefore))) return;
    }
    if (preset.question !== null) usePreset.setState({ question: preset.question });
  } catch (error) {
    reportError('The preset could not start', error);
  }
}

function reportTooEarly(): void {
  report({
    title: 'The preset cannot start yet',
    message: 'The model or the example is still loading, or a session is just being opened.',
    kept: 'What is shown.',
    tryNext: 'Try again in a moment.',
    tone: 'info',
  });
}

/** Ask the preset's question, once its text has been read. */
export async function askPresetQuestion(): Promise<void> {
  const { question } = usePreset.getState();
  if (question === null) return;
  usePreset.setState({ question: null });
  useShell.setState({ rightTab: 'chat', rightOpen: true });
  await ask(question);
}

async function turn({ config, watch }: NonNullable<Preset['turn']>): Promise<boolean> {
  const refused = await setParameters(config);
  if (refused === null) {
    usePreset.setState({ watch });
    return true;
  }
  reportError('The parameters could not be changed', new Error(refused));
  return false;
}

/**
 * Resolves once everything queued was read; false if another session was opened meanwhile.
 *
 * @param cursorBefore - before the text was queued: a state that has not moved on is older than the queue.
 */
function read(sessionId: string, cursorBefore: number): Promise<boolean> {
  return new Promise((resolve) => {
    const check = () => {
      const { session } = useSession.getState();
      const isOpen = session?.record.id === sessionId;
      const isRead = isOpen && session.cursor > cursorBefore && session.pendingTokens === 0;
      if (isOpen && !(isRead && session.activity === 'idle')) return;
      stop();
      resolve(isOpen);
    };
    const stop = useSession.subscribe(check);
    check();
  });
}
