/**
 * Speaks with the engine for the whole page: every command goes out here, every notice comes in here and is
 * written to the stores or the run. Components never see the client.
 */
import type {
  Command,
  CommandKind,
  CommandResults,
  Notice,
  SessionSnapshot,
  SessionState,
} from '../../runtime/engine/protocol/protocol.ts';
import { acceptBranch } from '../features/branch/branch-store.ts';
import { acceptEvaluation } from '../features/evaluate/evaluate-store.ts';
import { acceptLensReport } from '../features/training/lens-training-store.ts';
import { upsertMessage, useChat } from '../features/chat/chat-store.ts';
import { followLive } from './playback-store.ts';
import { report, reportError, reportWireError } from './problem-store.ts';
import { useSession } from './session-store.ts';
import { useView } from './view-store.ts';
import { currentRun, liveRun } from './current-run.ts';

/** What the page needs of the engine's client. */
export interface EnginePort {
  call<C extends Command>(command: C): Promise<CommandResults[C['kind']]>;
  onNotice(listener: (notice: Notice) => void): () => void;
  dispose(): void;
}

type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;

let port: EnginePort | null = null;
let stopNotices = () => {};

/** Use this engine from now on. Returns a function that lets go of it. */
export function connectEngine(engine: EnginePort): () => void {
  port = engine;
  stopNotices = engine.onNotice(accept);
  return () => {
    stopNotices();
    port = null;
    engine.dispose();
  };
}

/** Send a command; rejects as the engine does. */
export function send<K extends CommandKind>(command: CommandOf<K>): Promise<CommandResults[K]> {
  if (!port) return Promise.reject(new Error('The engine is not running. Reload the page.'));
  return port.call(command);
}

/** Send a command and show a problem if it fails. Null after a failure. */
export async function attempt<K extends CommandKind>(
  title: string,
  command: CommandOf<K>,
): Promise<CommandResults[K] | null> {
  try {
    return await send(command);
  } catch (error) {
    reportError(title, error);
    return null;
  }
}

/** Show a session that was created or opened. */
export function showSnapshot(snapshot: SessionSnapshot): void {
  const run = liveRun();
  run.reset();
  run.append(snapshot.events);
  useChat.setState({ messages: snapshot.chat, streaming: null, asking: false });
  useSession.setState({
    phase: 'ready',
    session: snapshot.state,
    provenance: snapshot.provenance,
    damage: snapshot.damage,
    progress: null,
    running: snapshot.state.activity === 'ingesting',
  });
  // A recording in front keeps its place; the session is behind it.
  if (run === currentRun) {
    useView.setState({ autoTokens: true, autoSteps: true, selection: null, peek: null });
    followLive();
  }
  if (snapshot.damage.length > 0) {
    report({
      title: 'This session could not be opened quite as it was stored',
      message: snapshot.damage.join(' '),
      kept: 'Everything else was loaded.',
      tryNext: 'Nothing needs to be done: it can go on as it is.',
      tone: 'info',
    });
  }
}

const STATE_EVERY_MS = 150;
let heldState: SessionState | null = null;
let stateTimer: ReturnType<typeof setTimeout> | undefined;

/** Session states arrive with every refocus; React hears of them a few times a second. */
export function acceptState(state: SessionState): void {
  heldState = state;
  stateTimer ??= setTimeout(() => {
    stateTimer = undefined;
    if (heldState) useSession.setState({ session: heldState, running: heldState.activity === 'ingesting' });
  }, STATE_EVERY_MS);
}

function accept(notice: Notice): void {
  switch (notice.kind) {
    case 'telemetry':
      liveRun().append(notice.events);
      return;
    case 'state':
      acceptState(notice.state);
      return;
    case 'progress':
      useSession.setState({ progress: notice.done >= notice.total && notice.total > 0 ? null : notice });
      return;
    case 'provenance':
      useSession.setState(({ provenance }) => ({ provenance: withRun(provenance, notice.run) }));
      return;
    case 'chat':
      upsertMessage(notice.message);
      return;
    case 'answerText':
      useChat.setState(({ streaming }) => ({
        streaming: {
          messageId: notice.messageId,
          tokens: [
            ...(streaming?.tokens ?? []),
            { text: notice.delta, position: notice.index, step: notice.step },
          ],
        },
      }));
      return;
    case 'problem':
      reportWireError(notice.error);
      return;
    case 'evaluation':
      acceptEvaluation(notice);
      return;
    case 'branch':
      acceptBranch(notice.progress);
      return;
    case 'lensTraining':
      acceptLensReport(notice.report);
      return;
    case 'restarted':
      useSession.setState({ boot: notice.boot });
      if (notice.snapshot) showSnapshot(notice.snapshot);
      return;
    default:
      notice satisfies never;
  }
}

type Runs = SessionSnapshot['provenance'];

/** A run that starts where a known one does replaces it: it grew. */
function withRun(runs: Runs, run: Runs[number]): Runs {
  const at = runs.findIndex(({ start }) => start === run.start);
  return at < 0 ? [...runs, run] : runs.with(at, run);
}
