/** How the timeline's area is divided: step gutter, matrix, metric tracks. Pure. */
import { listedTracks } from '../../model/track-arrangement.ts';
import type { Track, Tracks } from '../../model/tracks.ts';

interface PlacedTrack {
  readonly track: Track;
  readonly x: number;
  readonly width: number;
  readonly pinned: boolean;
}

export interface TimelineLayout {
  readonly width: number;
  readonly height: number;
  /** Left edge and width of the matrix. */
  readonly left: number;
  readonly matrixWidth: number;
  readonly tracks: readonly PlacedTrack[];
  /** Tracks that are shown but scrolled out, before and behind those in view. */
  readonly tracksBefore: number;
  readonly tracksBehind: number;
}

const TRACK_GAP = 8;
/** Width of a column, and the share of the area that all of them may take. */
const WIDE = { gutter: 48, column: 46, share: 0.48 } as const;
const MEDIUM = { gutter: 44, column: 42, share: 0.42 } as const;
const NARROW = { gutter: 36, column: 36, share: 0.36 } as const;

/** Tracks are scrolled out on the left only as far as no room is left empty. */
export function layoutTimeline(
  width: number,
  height: number,
  { registered, state: { arrangement, scrolled } }: Pick<Tracks, 'registered' | 'state'>,
): TimelineLayout {
  const plan = width >= 680 ? WIDE : width >= 480 ? MEDIUM : NARROW;
  const widthOf = ({ columns }: Track) => columns * (plan.column + TRACK_GAP) - TRACK_GAP;
  const shown = listedTracks(arrangement)
    .filter((id) => !arrangement.hidden.includes(id))
    .flatMap((id) => registered.find((track) => track.id === id) ?? []);
  const isPinned = ({ id }: Track) => arrangement.pinned.includes(id);
  const fitting = (tracks: readonly Track[], room: number): number => {
    let used = 0;
    const at = tracks.findIndex((track) => (used += widthOf(track) + TRACK_GAP) > room);
    return at < 0 ? tracks.length : at;
  };
  const room = width * plan.share;
  const allPinned = shown.filter(isPinned);
  const pinned = allPinned.slice(0, fitting(allPinned, room));
  const others = shown.filter((track) => !isPinned(track));
  const otherRoom = pinned.reduce((rest, track) => rest - widthOf(track) - TRACK_GAP, room);
  // A wide track is narrowed rather than never shown.
  const least = otherRoom >= plan.column + TRACK_GAP ? 1 : 0;
  const countFrom = (tracks: readonly Track[]) => Math.max(fitting(tracks, otherRoom), least);
  const first = Math.max(0, Math.min(scrolled, others.length - countFrom(others.toReversed())));
  const inView = others.slice(first, first + countFrom(others.slice(first)));

  const tracks = [...pinned, ...inView].map((track) => ({
    track,
    width: isPinned(track) ? widthOf(track) : Math.min(widthOf(track), otherRoom - TRACK_GAP),
    pinned: isPinned(track),
  }));
  const tracksWidth = tracks.reduce((sum, track) => sum + track.width + TRACK_GAP, 0);
  const matrixWidth = Math.max(40, width - plan.gutter - tracksWidth);
  let x = plan.gutter + matrixWidth + TRACK_GAP;
  const placed = tracks.map((track) => {
    const place = { ...track, x };
    x += place.width + TRACK_GAP;
    return place;
  });
  return {
    width,
    height,
    left: plan.gutter,
    matrixWidth,
    tracks: placed,
    tracksBefore: first,
    tracksBehind: others.length - first - inView.length,
  };
}
