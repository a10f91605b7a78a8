/** Takes in what the engine tells of the open session: into the mirror, the run and the conversation. */
import type { ProvenanceRun, SessionSnapshot, SessionState } from '../../runtime/engine/protocol/protocol.ts';
import type { Conversation } from './conversation.ts';
import type { NoticeHandlers } from './engine-link.ts';
import { PaceMeter } from './pace-meter.ts';
import type { Problems } from './problems.ts';
import type { RunView } from './run-view.ts';
import { type SessionMirror, isOpenSession } from './session.ts';
import type { ShownRun } from './shown-run.ts';

interface Places {
  readonly mirror: SessionMirror;
  readonly shown: ShownRun;
  readonly view: RunView;
  readonly conversation: Conversation;
  readonly problems: Problems;
}

const STATE_EVERY_MS = 150;

export class SessionIntake {
  readonly #places: Places;
  readonly #pace = new PaceMeter();
  #heldState: SessionState | null = null;
  #stateTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(places: Places, notices: NoticeHandlers) {
    this.#places = places;
    const { mirror, shown, problems } = places;
    notices.on('telemetry', ({ events }) => {
      shown.live.append(events);
    });
    notices.on('state', ({ state }) => {
      this.acceptState(state);
    });
    notices.on('progress', (notice) => {
      mirror.setState({ progress: notice.done >= notice.total && notice.total > 0 ? null : notice });
    });
    notices.on('provenance', ({ run }) => {
      mirror.setState(({ provenance }) => ({ provenance: withRun(provenance, run) }));
      if (shown.isLive) shown.tell();
    });
    notices.on('problem', ({ error }) => {
      problems.reportWireError(error);
    });
    notices.on('restarted', ({ boot, snapshot }) => {
      mirror.setState({ boot });
      if (snapshot) this.acceptSnapshot(snapshot);
    });
  }

  /**
   * Session states arrive with every refocus; React hears of them a few times a second. A state of another session
   * than the open one is late, and dropped.
   */
  acceptState(state: SessionState): void {
    if (!isOpenSession(this.#places.mirror.getState(), state.record.id)) return;
    this.#heldState = state;
    this.#stateTimer ??= setTimeout(() => {
      this.showState();
    }, STATE_EVERY_MS);
  }

  /** Show a state that the user waits for, or whatever is held, now. */
  showState(state?: SessionState): void {
    if (state !== undefined) this.acceptState(state);
    const held = this.#heldState;
    this.#letGo();
    if (!held) return;
    const running = held.activity === 'ingesting';
    this.#pace.read(held.cursor, performance.now(), running);
    this.#places.mirror.setState({ session: held, running, reachedPace: this.#pace.tokensPerSecond });
  }

  #letGo(): void {
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
    this.#heldState = null;
  }

  /** Show the open session as it is stored by now; playhead and view stay where they are. */
  acceptNewerSnapshot(snapshot: SessionSnapshot): void {
    const { mirror, shown, view, conversation } = this.#places;
    const { state, events, chat, provenance, damage } = snapshot;
    const { index, following } = view.playhead.state;
    this.#letGo();
    shown.live.reset();
    shown.live.append(events);
    conversation.setState({ messages: chat });
    mirror.setState({ session: state, provenance, damage });
    if (!shown.isLive) return;
    shown.tell();
    if (following) view.playhead.followNewest();
    else view.playhead.seek(index);
  }

  /** Show a session that was created or opened. */
  acceptSnapshot({ state, events, chat, provenance, damage }: SessionSnapshot): void {
    const { mirror, shown, view, conversation, problems } = this.#places;
    this.#letGo();
    this.#pace.read(0, 0, false);
    shown.live.reset();
    shown.live.append(events);
    conversation.setState({ messages: chat, streaming: null, asking: false });
    mirror.setState({
      phase: 'ready',
      session: state,
      provenance,
      damage,
      progress: null,
      running: state.activity === 'ingesting',
    });
    // A recording in front keeps its place; the session is behind it.
    if (shown.isLive) {
      shown.tell();
      view.viewport.startOver();
      view.playhead.followNewest();
    }
    if (damage.length > 0) {
      problems.report({
        title: 'This session could not be opened quite as it was stored',
        message: damage.join(' '),
        kept: 'Everything else was loaded.',
        tryNext: 'Nothing needs to be done: it can go on as it is.',
        tone: 'info',
      });
    }
  }
}

/** A run that starts where a known one does replaces it: it grew. */
function withRun(runs: readonly ProvenanceRun[], run: ProvenanceRun): readonly ProvenanceRun[] {
  const at = runs.findIndex(({ start }) => start === run.start);
  return at < 0 ? [...runs, run] : runs.with(at, run);
}
