/** How the timeline's area is divided: step gutter, matrix, metric tracks. Pure. */
import { TRACKS, type Track } from './tracks.ts';

export interface TimelineLayout {
  readonly width: number;
  readonly height: number;
  /** Left edge and width of the matrix. */
  readonly left: number;
  readonly matrixWidth: number;
  readonly tracks: readonly { readonly track: Track; readonly x: number; readonly width: number }[];
}

const TRACK_GAP = 8;
const WIDE = { gutter: 48, track: 46, tracks: TRACKS } as const;
const MEDIUM = { gutter: 44, track: 42, tracks: TRACKS.slice(0, 4) } as const;
const NARROW = { gutter: 36, track: 36, tracks: TRACKS.slice(0, 2) } as const;

export function layoutTimeline(width: number, height: number): TimelineLayout {
  const plan = width >= 680 ? WIDE : width >= 480 ? MEDIUM : NARROW;
  const tracksWidth = plan.tracks.length * (plan.track + TRACK_GAP);
  const matrixWidth = Math.max(40, width - plan.gutter - tracksWidth);
  const left = plan.gutter;
  return {
    width,
    height,
    left,
    matrixWidth,
    tracks: plan.tracks.map((track, i) => ({
      track,
      x: left + matrixWidth + TRACK_GAP + i * (plan.track + TRACK_GAP),
      width: plan.track,
    })),
  };
}
