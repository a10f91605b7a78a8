/** What a user can do with a session, each in one function; buttons, keys and menus call these. */
import type { SessionRecord } from '../../runtime/engine/protocol/protocol.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import type { Role } from '../../core/tree/provenance.ts';
import { closeRecording } from '../features/share/recording.ts';
import { upsertMessage, useChat } from '../features/chat/chat-store.ts';
import { followLive } from './playback-store.ts';
import { reportError } from './problem-store.ts';
import { useSession } from './session-store.ts';
import { acceptState, attempt, send, showSnapshot } from './engine-session.ts';

/** Read the list of sessions anew: counts and dates move while a session runs. */
export async function refreshSessions(): Promise<void> {
  const sessions = await attempt('The list of sessions could not be read', { kind: 'listSessions' });
  if (sessions) useSession.setState({ sessions });
}

/**
 * Make a session, and give it a text to read if there is one.
 *
 * @param config - where it differs from the model's defaults.
 * @returns the session's id; null if its text was not accepted.
 */
export async function createSession(
  title: string,
  config: Partial<RunConfig> = {},
  document: { readonly text: string; readonly title: string } | null = null,
): Promise<string | null> {
  useSession.setState({ settingUp: true });
  try {
    const snapshot = await send({ kind: 'createSession', title, config });
    showSnapshot(snapshot);
    if (document !== null) {
      if (!(await ingest(document.text, document.title, 'document'))) return null;
      await run();
    }
    return snapshot.state.record.id;
  } finally {
    useSession.setState({ settingUp: false });
    await refreshSessions();
  }
}

export async function openSession(sessionId: string): Promise<void> {
  useSession.setState({ phase: 'opening' });
  try {
    showSnapshot(await send({ kind: 'openSession', sessionId }));
  } catch (error) {
    useSession.setState({ phase: useSession.getState().session ? 'ready' : 'failed' });
    reportError('The session could not be opened', error);
  }
}

export async function renameSession(title: string): Promise<void> {
  const state = await attempt('The session could not be renamed', { kind: 'renameSession', title });
  if (state) useSession.setState({ session: state });
  await refreshSessions();
}

/** Delete a session; if it was the open one, open the next or create an empty one. */
export async function removeSession(record: SessionRecord): Promise<void> {
  await attempt('The session could not be deleted', { kind: 'removeSession', sessionId: record.id });
  await refreshSessions();
  const { sessions, session } = useSession.getState();
  if (sessions.some(({ id }) => id === record.id)) return;
  if (session?.record.id !== record.id) return;
  const next = sessions[0];
  if (next) await openSession(next.id);
  else await createSession('Untitled session');
}

/** Queue a text. True if it was accepted; the text stays with the caller otherwise. */
export async function ingest(text: string, title: string, role: Role): Promise<boolean> {
  const accepted = await attempt('The document was not added', { kind: 'ingestText', text, title, role });
  return accepted !== null;
}

export async function run(): Promise<void> {
  useSession.setState({ running: true });
  const state = await attempt('The session could not run', {
    kind: 'run',
    tokensPerSecond: useSession.getState().pace,
  });
  if (state) acceptState(state);
  else useSession.setState({ running: false });
}

export async function pause(): Promise<void> {
  useSession.setState({ running: false });
  const state = await attempt('The session could not be paused', { kind: 'pause' });
  if (state) acceptState(state);
}

/** Ingest one block and refocus once. */
export async function stepOnce(): Promise<void> {
  followLive();
  const state = await attempt('The step failed', { kind: 'step' });
  if (state) acceptState(state);
}

/** A new pace takes effect at once. */
export async function setPace(pace: number): Promise<void> {
  useSession.setState({ pace });
  if (useSession.getState().running) await run();
}

/** Change parameters. The error's words if the engine refused; the old values then stay. */
export async function setParameters(changes: Readonly<Record<string, unknown>>): Promise<string | null> {
  try {
    const state = await send({ kind: 'setConfig', changes: { ...changes } });
    useSession.setState({ session: state });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Ask; the draft is cleared only once the engine took the question. */
export async function ask(text: string): Promise<void> {
  useChat.setState({ asking: true, streaming: { messageId: null, tokens: [] } });
  closeRecording();
  followLive();
  try {
    const { question, answer } = await send({ kind: 'ask', text });
    upsertMessage(question);
    upsertMessage(answer);
  } catch (error) {
    useChat.setState(({ draft }) => ({ draft: draft === '' ? text : draft }));
    reportError('The question was not answered', error);
  } finally {
    useChat.setState({ asking: false, streaming: null });
  }
}

export async function stopAnswer(): Promise<void> {
  await attempt('The answer could not be stopped', { kind: 'stopAnswer' });
}
