/** Where the playhead stands in a run, how it moves, and which range it loops over. */
import { createStore } from 'zustand';
import type { ReadableStore } from './readable-store.ts';

/** Frames first to last, both included. */
export interface FrameRange {
  readonly first: number;
  readonly last: number;
}

interface PlayheadPlace {
  /** Frame index under the playhead; -1 while the run is empty. */
  readonly index: number;
  readonly count: number;
  /** A range marked on the step axis; it outlives looping being switched off. */
  readonly range: FrameRange | null;
  /** Playing wraps from the range's end to its start; without a range, over the whole run. */
  readonly looping: boolean;
}

export interface PlayheadState extends PlayheadPlace {
  /** The playhead stays on the newest frame. */
  readonly following: boolean;
  readonly playing: boolean;
  readonly speed: number;
}

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
/** Frames per second at speed 1. */
export const BASE_FRAMES_PER_SECOND = 10;

/** The time of one view, or of several that share it. Nothing but its own methods moves it. */
export class Playhead {
  readonly #store = createStore<PlayheadState>()(() => ({
    index: -1,
    count: 0,
    range: null,
    looping: false,
    following: true,
    playing: false,
    speed: 1,
  }));

  get store(): ReadableStore<PlayheadState> {
    return this.#store;
  }

  get state(): PlayheadState {
    return this.#store.getState();
  }

  /** Move to a frame. Reaching for the playhead stops following and playing. */
  seek(index: number): void {
    const { count } = this.state;
    if (count === 0) return;
    this.#store.setState({ index: within(Math.round(index), count), following: false, playing: false });
  }

  /** Stay on the newest frame. */
  followNewest(): void {
    const { count } = this.state;
    this.#store.setState({ index: count - 1, following: true, playing: false });
  }

  /** Play what was recorded from the playhead on; from the start when it stands at the end or outside the loop. */
  togglePlaying(): void {
    const { state } = this;
    if (state.playing) {
      this.pause();
      return;
    }
    if (state.count === 0) return;
    const { first, last } = playedRange(state);
    const outside = state.index >= last || state.index < first;
    this.#store.setState({ playing: true, following: false, index: outside ? first : state.index });
  }

  /** Play so many frames. At the run's end the playhead follows it from there on. @returns false then. */
  playOn(frames: number): boolean {
    const index = advanced(this.state, frames);
    if (index === null) {
      this.followNewest();
      return false;
    }
    if (index !== this.state.index) this.#store.setState({ index });
    return true;
  }

  setSpeed(speed: number): void {
    this.#store.setState({ speed });
  }

  /** The next of the offered speeds. */
  changeSpeed(direction: 1 | -1): void {
    const at = SPEEDS.findIndex((candidate) => candidate === this.state.speed);
    this.setSpeed(SPEEDS[Math.min(Math.max(at + direction, 0), SPEEDS.length - 1)]!);
  }

  /** Mark the range between two frames, given in any order. */
  markRange(from: number, to: number): void {
    const { count } = this.state;
    if (count === 0) return;
    const first = within(Math.round(Math.min(from, to)), count);
    const last = within(Math.round(Math.max(from, to)), count);
    this.#store.setState({ range: { first, last }, looping: true });
  }

  /** Put one end of the range at the playhead; the other stays if it can. */
  markRangeEnd(end: 'first' | 'last'): void {
    const { index, count, range } = this.state;
    if (end === 'first') this.markRange(index, Math.max(index, range?.last ?? count - 1));
    else this.markRange(Math.min(index, range?.first ?? 0), index);
  }

  clearRange(): void {
    this.#store.setState({ range: null, looping: false });
  }

  toggleLooping(): void {
    this.#store.setState(({ looping }) => ({ looping: !looping }));
  }

  pause(): void {
    this.#store.setState({ playing: false });
  }

  /**
   * The run grew or was replaced. A range that the new run does not have is dropped.
   *
   * @param at - where the frame under the playhead is now, if not where it was.
   */
  setFrameCount(count: number, at = this.state.index): void {
    const { following, range } = this.state;
    const kept = range && range.last < count ? range : null;
    this.#store.setState({
      count,
      index: following ? count - 1 : Math.min(at, count - 1),
      ...(kept === range ? {} : { range: kept, looping: false }),
    });
  }
}

/** The frames that playing goes through. */
function playedRange({ count, range, looping }: PlayheadPlace): FrameRange {
  return looping && range ? range : { first: 0, last: count - 1 };
}

/** Where the playhead stands after some frames of playing; null when the run has been played to its end. */
export function advanced(playhead: PlayheadPlace, frames: number): number | null {
  const { first, last } = playedRange(playhead);
  // A range may be marked, or looping switched on, while the playhead stands outside it.
  if (playhead.index < first || playhead.index > last) return first;
  const at = playhead.index + frames;
  if (at <= last) return at;
  if (!playhead.looping) return null;
  return first + ((at - first) % (last - first + 1));
}

function within(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
