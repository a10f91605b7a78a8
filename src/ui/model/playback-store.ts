/** Where the playhead stands in the recorded run, how it moves, and which range it loops over. */
import { create } from 'zustand';

/** Frames first to last, both included. */
export interface FrameRange {
  readonly first: number;
  readonly last: number;
}

interface Playhead {
  /** Frame index under the playhead; -1 while the run is empty. */
  readonly index: number;
  readonly count: number;
  /** A range marked on the step axis; it outlives looping being switched off. */
  readonly range: FrameRange | null;
  /** Playing wraps from the range's end to its start; without a range, over the whole run. */
  readonly looping: boolean;
}

interface PlaybackStore extends Playhead {
  /** The playhead stays on the newest frame. */
  readonly following: boolean;
  readonly playing: boolean;
  readonly speed: number;
}

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
/** Frames per second at speed 1. */
export const BASE_FRAMES_PER_SECOND = 10;

export const usePlayback = create<PlaybackStore>()(() => ({
  index: -1,
  count: 0,
  range: null,
  looping: false,
  following: true,
  playing: false,
  speed: 1,
}));

/** Move the playhead; the one place that changes it. Reaching for it stops following. */
export function seek(index: number, options: { readonly keepPlaying?: boolean } = {}): void {
  const { count, playing } = usePlayback.getState();
  if (count === 0) return;
  usePlayback.setState({
    index: within(Math.round(index), count),
    following: false,
    playing: options.keepPlaying === true && playing,
  });
}

/** Stay on the newest frame. */
export function followLive(): void {
  const { count } = usePlayback.getState();
  usePlayback.setState({ index: count - 1, following: true, playing: false });
}

/** Play what was recorded from the playhead on; from the start when it stands at the end or outside the loop. */
export function togglePlaying(): void {
  const state = usePlayback.getState();
  if (state.playing) {
    usePlayback.setState({ playing: false });
    return;
  }
  if (state.count === 0) return;
  const { first, last } = playedRange(state);
  const outside = state.index >= last || state.index < first;
  usePlayback.setState({ playing: true, following: false, index: outside ? first : state.index });
}

/** The frames that playing goes through. */
function playedRange({ count, range, looping }: Playhead): FrameRange {
  return looping && range ? range : { first: 0, last: count - 1 };
}

/** Where the playhead stands after some frames of playing; null when the run has been played to its end. */
export function advanced(playhead: Playhead, frames: number): number | null {
  const { first, last } = playedRange(playhead);
  // A range may be marked, or looping switched on, while the playhead stands outside it.
  if (playhead.index < first || playhead.index > last) return first;
  const at = playhead.index + frames;
  if (at <= last) return at;
  if (!playhead.looping) return null;
  return first + ((at - first) % (last - first + 1));
}

/** Mark the range between two frames, given in any order. */
export function markRange(from: number, to: number): void {
  const { count } = usePlayback.getState();
  if (count === 0) return;
  const first = within(Math.round(Math.min(from, to)), count);
  const last = within(Math.round(Math.max(from, to)), count);
  usePlayback.setState({ range: { first, last }, looping: true });
}

/** Put one end of the range at the playhead; the other stays if it can. */
export function markRangeEnd(end: 'first' | 'last'): void {
  const { index, count, range } = usePlayback.getState();
  if (end === 'first') markRange(index, Math.max(index, range?.last ?? count - 1));
  else markRange(Math.min(index, range?.first ?? 0), index);
}

export function clearRange(): void {
  usePlayback.setState({ range: null, looping: false });
}

export function toggleLooping(): void {
  usePlayback.setState(({ looping }) => ({ looping: !looping }));
}

/** The run grew or was replaced. A range that the new run does not have is dropped. */
export function setFrameCount(count: number): void {
  const { following, index, range } = usePlayback.getState();
  const kept = range && range.last < count ? range : null;
  usePlayback.setState({
    count,
    index: following ? count - 1 : Math.min(index, count - 1),
    ...(kept === range ? {} : { range: kept, looping: false }),
  });
}

function within(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
