/** The arrangement of the metric tracks, remembered in localStorage, and how far they are scrolled. */
import { create } from 'zustand';
import { type TrackArrangement, tidyArrangement } from './track-arrangement.ts';
import { INITIAL_ARRANGEMENT } from './tracks.ts';

interface TracksStore {
  readonly arrangement: TrackArrangement;
  /** How many tracks that are not pinned are scrolled out on the left. */
  readonly scrolled: number;
}

const STORAGE_KEY = 'megacontext-playground.tracks';

export const useTracks = create<TracksStore>()(() => ({ arrangement: remembered(), scrolled: 0 }));

/** Change the arrangement and remember it. */
export function arrangeTracks(change: (arrangement: TrackArrangement) => TrackArrangement): void {
  const arrangement = change(useTracks.getState().arrangement);
  useTracks.setState({ arrangement });
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(arrangement));
  } catch {
    // Storage may be forbidden or full; the tracks then start over with the next visit.
  }
}

/** Scroll so many tracks out on the left; the layout bounds it. */
export function scrollTracks(scrolled: number): void {
  useTracks.setState({ scrolled: Math.max(0, scrolled) });
}

function remembered(): TrackArrangement {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
    return tidyArrangement(stored, INITIAL_ARRANGEMENT);
  } catch {
    return INITIAL_ARRANGEMENT;
  }
}
