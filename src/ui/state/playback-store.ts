/** Where the playhead stands in the recorded run, and how it moves. */
import { create } from 'zustand';

interface PlaybackStore {
  /** Frame index under the playhead; -1 while the run is empty. */
  readonly index: number;
  readonly count: number;
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
  following: true,
  playing: false,
  speed: 1,
}));

/** Move the playhead; the one place that changes it. Reaching for it stops following. */
export function seek(index: number, options: { readonly keepPlaying?: boolean } = {}): void {
  const { count, playing } = usePlayback.getState();
  if (count === 0) return;
  usePlayback.setState({
    index: Math.min(Math.max(Math.round(index), 0), count - 1),
    following: false,
    playing: options.keepPlaying === true && playing,
  });
}

/** Stay on the newest frame. */
export function followLive(): void {
  const { count } = usePlayback.getState();
  usePlayback.setState({ index: count - 1, following: true, playing: false });
}

/** Play what was recorded from the playhead on; from the start when it stands at the end. */
export function togglePlaying(): void {
  const { playing, index, count } = usePlayback.getState();
  if (playing) {
    usePlayback.setState({ playing: false });
    return;
  }
  if (count === 0) return;
  usePlayback.setState({ playing: true, following: false, index: index >= count - 1 ? 0 : index });
}

/** The run grew or was replaced. */
export function setFrameCount(count: number): void {
  const { following, index } = usePlayback.getState();
  usePlayback.setState({ count, index: following ? count - 1 : Math.min(index, count - 1) });
}
