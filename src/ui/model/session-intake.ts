/** Takes in what the engine tells of the open session: into the mirror, the run and the conversation. */
import { yieldToEvents } from '../../base/clock.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import type { ProvenanceRun, SessionSnapshot, SessionState } from '../../runtime/engine/protocol/protocol.ts';
import type { Conversation } from './conversation.ts';
import type { EngineLink, NoticeHandlers } from './engine-link.ts';
import { PaceMeter } from './pace-meter.ts';
import type { Problems } from './problems.ts';
import type { RunView } from './run-view.ts';
import { type SessionMirror, isOpenSession } from './session.ts';
import type { ShownRun } from './shown-run.ts';

interface Places {
  readonly engine: Pick<EngineLink, 'attempt'>;
  readonly mirror: SessionMirror;
  readonly shown: ShownRun;
  readonly view: RunView;
  readonly conversation: Conversation;
  readonly problems: Problems;
}

const STATE_EVERY_MS = 150;

/** A run is taken in by so many events, with a pause whenever so long was worked on it. */
const EVENTS_AT_ONCE = 128;
const WORK_MS = 8;
/** A long past is asked for by so many events. */
const EVENTS_A_PAGE = 8192;

export class SessionIntake {
  readonly #places: Places;
  readonly #pace = new PaceMeter();
  #heldState: SessionState | null = null;
  #stateTimer: ReturnType<typeof setTimeout> | undefined;
  /** What was told of the session while its past is still taken in; null when that is done. */
  #told: TelemetryEvent[] | null = null;
  /** What was told of the session since it was opened, while its earlier past is still read; null otherwise. */
  #since: TelemetryEvent[] | null = null;
  /** Counts snapshots: one that another follows is not taken in to its end. */
  #snapshots = 0;

  constructor(places: Places, notices: NoticeHandlers) {
    this.#places = places;
    const { mirror, shown, problems } = places;
    notices.on('telemetry', ({ events }) => {
      for (const event of events) this.#since?.push(event);
      if (this.#told === null) shown.live.append(events);
      else for (const event of events) this.#told.push(event);
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
      if (snapshot) void this.acceptSnapshot(snapshot);
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
  acceptNewerSnapshot({ state, events, earlier, chat, provenance, damage }: SessionSnapshot): Promise<void> {
    const { mirror, shown, view, conversation } = this.#places;
    const { index, following } = view.playhead.state;
    this.#letGo();
    conversation.setState({ messages: chat });
    mirror.setState({ session: state, provenance, damage });
    const step = shown.isLive ? shown.run.frameAt(index)?.step : undefined;
    const settle = () => {
      if (!shown.isLive) return;
      shown.tell();
      if (following) view.playhead.followNewest();
      else this.#seekStep(step, index);
    };
    return this.#replaceRun(events, () => {
      settle();
      if (earlier !== undefined) void this.#readEarlier(events, earlier);
    });
  }

  /** To the frame of a step, which another frame before it moved; to a place where it has gone. */
  #seekStep(step: number | undefined, index: number): void {
    const { shown, view } = this.#places;
    const { frameCount } = shown.run;
    let at = Math.min(index, Math.max(0, frameCount - 1));
    if (step !== undefined) {
      let low = 0;
      let high = frameCount;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((shown.run.frameAt(middle)?.step ?? 0) < step) low = middle + 1;
        else high = middle;
      }
      if (shown.run.frameAt(low)?.step === step) at = low;
    }
    view.playhead.seek(at);
  }

  /**
   * Read the past that a snapshot left out, while the session is used, and show it before what is shown.
   *
   * @param events - of the snapshot.
   */
  async #readEarlier(
    events: readonly TelemetryEvent[],
    { eventCount, shown }: NonNullable<SessionSnapshot['earlier']>,
  ): Promise<void> {
    const { engine, mirror, view } = this.#places;
    const snapshot = this.#snapshots;
    const since: TelemetryEvent[] = [];
    this.#since = since;
    const past: TelemetryEvent[] = [];
    for (let first = 0; first < eventCount; first += EVENTS_A_PAGE) {
      mirror.setState({ progress: reading(first, eventCount) });
      const count = Math.min(EVENTS_A_PAGE, eventCount - first);
      const page = await engine.attempt('The earlier steps could not be read', {
        kind: 'readEvents',
        first,
        count,
      });
      if (snapshot !== this.#snapshots) return;
      if (page === null) {
        this.#since = null;
        mirror.setState({ progress: null });
        return;
      }
      for (const event of page.events) past.push(event);
    }
    this.#since = null;
    mirror.setState({ progress: null });
    const { index, following } = view.playhead.state;
    const step = this.#places.shown.run.frameAt(index)?.step;
    await this.#replaceRun([...past, ...events.slice(shown), ...since], () => {
      const places = this.#places;
      if (!places.shown.isLive) return;
      places.shown.tell();
      if (following) view.playhead.followNewest();
      else this.#seekStep(step, index);
    });
  }

  /** Show a session that was created or opened. Resolves when its whole run is there: at once, unless it is long. */
  acceptSnapshot({ state, events, earlier, chat, provenance, damage }: SessionSnapshot): Promise<void> {
    const { mirror, shown, view, conversation, problems } = this.#places;
    this.#letGo();
    this.#pace.read(0, 0, false);
    conversation.setState({ messages: chat, streaming: null, asking: false });
    const running = state.activity === 'ingesting';
    mirror.setState({ session: state, provenance, damage, progress: null, running });
    return this.#replaceRun(events, () => {
      mirror.setState({ phase: 'ready' });
      // A recording in front keeps its place; the session is behind it.
      if (shown.isLive) {
        shown.tell();
        view.viewport.startOver();
        view.playhead.followNewest();
      }
      if (earlier !== undefined) void this.#readEarlier(events, earlier);
      if (damage.length > 0) {
        problems.report({
          title: 'This session could not be opened quite as it was stored',
          message: damage.join(' '),
          kept: 'Everything else was loaded.',
          tryNext: 'Nothing needs to be done: it can go on as it is.',
          tone: 'info',
        });
      }
    });
  }

  /** The whole run of a session in place of the one before. @param then - unless another session comes meanwhile. */
  #replaceRun(events: readonly TelemetryEvent[], then: () => void): Promise<void> {
    const { live } = this.#places.shown;
    const snapshot = ++this.#snapshots;
    this.#since = null;
    live.reset();
    if (events.length > EVENTS_AT_ONCE) return this.#takeIn(events, snapshot, then);
    this.#told = null;
    live.append(events);
    then();
    return Promise.resolve();
  }

  /** A little at a time, so that the page answers; what is told of the session meanwhile follows its past. */
  async #takeIn(events: readonly TelemetryEvent[], snapshot: number, then: () => void): Promise<void> {
    const { live } = this.#places.shown;
    const told: TelemetryEvent[] = [];
    this.#told = told;
    let since = performance.now();
    for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
      live.append(events.slice(from, from + EVENTS_AT_ONCE), false);
      if (performance.now() - since < WORK_MS) continue;
      await yieldToEvents();
      if (snapshot !== this.#snapshots) return;
      since = performance.now();
    }
    this.#told = null;
    live.append(told, false);
    live.tell();
    then();
  }
}

function reading(done: number, total: number) {
  return { kind: 'progress', task: 'rebuild', label: 'Reading earlier steps', done, total } as const;
}

/** A run that starts where a known one does replaces it: it grew. */
function withRun(runs: readonly ProvenanceRun[], run: ProvenanceRun): readonly ProvenanceRun[] {
  const at = runs.findIndex(({ start }) => start === run.start);
  return at < 0 ? [...runs, run] : runs.with(at, run);
}
