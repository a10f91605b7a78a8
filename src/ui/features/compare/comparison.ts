/** Two runs on one playhead: which frame of each stands at a place, where they part, their metrics up to there. */
import { RunningMetrics } from '../../../core/trace/run-comparison-metrics.ts';
import {
  type AlignmentKey,
  type Divergence,
  type RunAlignment,
  alignRuns,
  compareRuns,
  placeOfKey,
} from '../../../core/trace/divergence.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { Frame } from '../../model/frame.ts';
import type { HeadRun, Run } from '../../model/run.ts';
import type { ComparedSource } from './compared-source.ts';
import { SIDES, type Side } from './sides.ts';

type Sources = Readonly<Record<Side, ComparedSource>>;

/** Which head of each run is looked at, by number. */
export type ComparedHeads = Readonly<Record<Side, number>>;

const FIRST_HEADS: ComparedHeads = { a: 0, b: 0 };

/** Holds for the runs as they were when it was made: one that grew is compared afresh. */
export class Comparison {
  readonly divergences: readonly Divergence[];
  readonly metrics: Readonly<Record<Side, RunningMetrics>>;
  readonly #alignment: RunAlignment;
  readonly #differing = new Map<number, boolean>();
  readonly #held = new Map<Side, { readonly place: number; readonly entries: ReadonlySet<string> }>();

  constructor(
    readonly sources: Sources,
    readonly by: AlignmentKey,
    readonly heads: ComparedHeads = FIRST_HEADS,
  ) {
    const [a, b] = [sources.a.run, sources.b.run];
    this.#alignment = alignRuns(a, b, by);
    this.divergences = compareRuns(a, b, this.#alignment);
    this.metrics = { a: new RunningMetrics(a), b: new RunningMetrics(b) };
  }

  /** How many places the playhead has. */
  get count(): number {
    return this.#alignment.keys.length;
  }

  /** Tokens of the longer history. */
  get cursor(): number {
    return Math.max(this.runOf('a').cursor, this.runOf('b').cursor);
  }

  /** The step or the history's length that a place stands for. */
  keyOf(place: number): number | undefined {
    return this.#alignment.keys[place];
  }

  placeOfKey(key: number): number {
    return placeOfKey(this.#alignment, key);
  }

  /** The first place at which a run has come to a step; -1 if it never does. */
  placeOfStep(side: Side, step: number): number {
    return this.#alignment[side].findIndex((index) => (this.runOf(side).frameAt(index)?.step ?? -1) >= step);
  }

  runOf(side: Side): Run {
    return this.sources[side].run;
  }

  /** Has the run ended before this place? */
  hasEnded(side: Side, place: number): boolean {
    return place >= (side === 'a' ? this.#alignment.reachA : this.#alignment.reachB);
  }

  /** The frames of the head that is looked at, at the places of the run's first: that one's where it is not there. */
  framesOf(side: Side): Run | HeadRun {
    const run = this.runOf(side);
    return run.ofHead(this.heads[side]) ?? run;
  }

  /** A run's newest frame at a place, its last one after its end; -1 before its first. */
  indexOf(side: Side, place: number): number {
    return this.#alignment[side][place] ?? -1;
  }

  frameOf(side: Side, place: number): Frame | undefined {
    return this.framesOf(side).frameAt(this.indexOf(side, place));
  }

  layoutOf(side: Side, place: number): readonly LayoutEntry[] {
    return this.framesOf(side).layoutAt(this.indexOf(side, place));
  }

  /** True for a place at which the run has a frame of its own. */
  hasFrame(side: Side, place: number): boolean {
    const index = this.indexOf(side, place);
    return (
      index >= 0 && !this.hasEnded(side, place) && index !== (place > 0 ? this.indexOf(side, place - 1) : -1)
    );
  }

  /** The nearest place at which either run took an action; null if there is none. */
  nextAction(from: number, direction: 1 | -1): number | null {
    for (let place = from + direction; place >= 0 && place < this.count; place += direction) {
      const acts = SIDES.some(
        (side) =>
          this.hasFrame(side, place) && this.frameOf(side, place)!.actions.some(({ applied }) => applied),
      );
      if (acts) return place;
    }
    return null;
  }

  /** Do the working contexts differ at a place? */
  differsAt(place: number): boolean {
    const known = this.#differing.get(place);
    if (known !== undefined) return known;
    const [a, b] = [this.layoutOf('a', place), this.layoutOf('b', place)];
    const differs =
      this.hasEnded('a', place) !== this.hasEnded('b', place) ||
      a.length !== b.length ||
      a.some(([lod, start, end], i) => {
        const other = b[i]!;
        return lod !== other[0] || start !== other[1] || end !== other[2];
      });
    this.#differing.set(place, differs);
    return differs;
  }

  /** Does a run hold this very entry at a place? The last place asked for is remembered. */
  holds(side: Side, place: number, entry: LayoutEntry): boolean {
    let held = this.#held.get(side);
    if (held?.place !== place) {
      held = { place, entries: new Set(this.layoutOf(side, place).map(String)) };
      this.#held.set(side, held);
    }
    return held.entries.has(String(entry));
  }

  /** Slots of the larger working context at a place. */
  slotsAt(place: number): number {
    const slots = SIDES.map((side) => {
      const frame = this.frameOf(side, place);
      return Math.max(frame?.budgetTokens ?? 1, frame?.usedTokens ?? 1);
    });
    return Math.max(...slots);
  }
}
