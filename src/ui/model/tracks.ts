/** The metric tracks that a timeline offers, their arrangement, and how far they are scrolled. */
import { createStore } from 'zustand';
import type { Frame } from './frame.ts';
import type { ReadableStore } from './readable-store.ts';
import type { RunFrames } from './shown-run.ts';
import { type TrackArrangement, tidyArrangement } from './track-arrangement.ts';

/** A figure that is not there, and why, as a sentence. */
export interface MissingFigure {
  readonly why: string;
}

/** What one column beside the matrix shows: its values, its scale, its target band, its wording. */
export interface Track {
  readonly id: string;
  /** Fits a narrow column; `name` says it in words. */
  readonly label: string;
  readonly name: string;
  readonly sentence: string;
  readonly kind: 'area' | 'bar' | 'bar-dot' | 'range' | 'dot' | 'stack' | 'mirror' | 'cells' | 'heat';
  /** How many columns wide it is. */
  readonly columns: 1 | 2;
  /** Scale of the column; a null maximum grows with the data in view. */
  readonly min: number;
  readonly max: number | null;
  /** The target band, in the track's unit. */
  readonly band: readonly [number, number] | null;
  /**
   * One value, a bar and a dot, a low–middle–high triple, a stack, a left–right pair, cells side by side, or all scores;
   * null where nothing was measured. `index` is the place that is shown: the frame that stands there may be older.
   */
  readonly values: (frame: Frame, run: RunFrames, index: number) => readonly number[] | Float32Array | null;
  readonly words: (frame: Frame, run: RunFrames, index: number) => string | MissingFigure;
  /** Whether a run has such figures at all; absent: every run has them. */
  readonly suits?: (run: Pick<RunFrames, 'headIds'>) => boolean;
  /** It is shown only to those who ask for it. */
  readonly beginsHidden?: true;
}

export interface TracksState {
  readonly arrangement: TrackArrangement;
  /** How many tracks that are not pinned are scrolled out on the left. */
  readonly scrolled: number;
}

const STORAGE_KEY = 'megacontext-playground.tracks';

/** As the tracks were registered. */
export function initialArrangement(tracks: readonly Track[]): TrackArrangement {
  return {
    order: tracks.map(({ id }) => id),
    hidden: tracks.filter(({ beginsHidden }) => beginsHidden).map(({ id }) => id),
    pinned: [],
  };
}

export class Tracks {
  readonly #store = createStore<TracksState>()(() => ({ arrangement: initialArrangement([]), scrolled: 0 }));
  #registered: readonly Track[] = [];
  #initial = initialArrangement([]);

  get store(): ReadableStore<TracksState> {
    return this.#store;
  }

  get state(): TracksState {
    return this.#store.getState();
  }

  get registered(): readonly Track[] {
    return this.#registered;
  }

  /** Those of which a run has figures. */
  suited(run: Pick<RunFrames, 'headIds'>): readonly Track[] {
    return this.#registered.filter(({ suits }) => suits?.(run) ?? true);
  }

  /** The arrangement before anybody changed it. */
  get initial(): TrackArrangement {
    return this.#initial;
  }

  /** Offer more tracks; what the visitor arranged in an earlier visit holds. */
  register(...tracks: readonly Track[]): void {
    this.#registered = [...this.#registered, ...tracks];
    this.#initial = initialArrangement(this.#registered);
    this.#store.setState({ arrangement: remembered(this.#initial) });
  }

  /** Change the arrangement and remember it. */
  arrange(change: (arrangement: TrackArrangement) => TrackArrangement): void {
    const arrangement = change(this.state.arrangement);
    this.#store.setState({ arrangement });
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(arrangement));
    } catch {
      // Storage may be forbidden or full; the tracks then start over with the next visit.
    }
  }

  /** Shown, not remembered: the visitor's own arrangement comes back with the next visit. */
  show(arrangement: TrackArrangement): void {
    this.#store.setState({ arrangement, scrolled: 0 });
  }

  /** Scroll so many tracks out on the left; the layout bounds it. */
  scroll(scrolled: number): void {
    this.#store.setState({ scrolled: Math.max(0, scrolled) });
  }
}

function remembered(initial: TrackArrangement): TrackArrangement {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
    return tidyArrangement(stored, initial);
  } catch {
    return initial;
  }
}
