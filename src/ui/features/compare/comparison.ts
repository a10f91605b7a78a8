/**
 * The two runs that are compared, on one playhead. Lives outside the stores because it is large; drawing code
 * reads it, React sees only its version.
 */
import { RunningMetrics } from '../../../core/trace/run-comparison-metrics.ts';
import {
  type Divergence,
  type RunAlignment,
  alignRuns,
  compareRuns,
  placeOfKey,
} from '../../../core/trace/divergence.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { Frame } from '../../model/frame.ts';
import type { RunTrace } from '../../model/run-trace.ts';
import { clampSteps, followSteps } from '../timeline/step-axis.ts';
import { fitTokens } from '../timeline/token-axis.ts';
import { type Side, useCompare } from './compare-store.ts';
import type { ComparedSource } from './compared-source.ts';

export interface Comparison {
  readonly sources: Readonly<Record<Side, ComparedSource>>;
  readonly alignment: RunAlignment;
  readonly divergences: readonly Divergence[];
  readonly metrics: Readonly<Record<Side, RunningMetrics>>;
}

let sources: Partial<Record<Side, ComparedSource>> = {};
let comparison: Comparison | null = null;
let differing = new Map<number, boolean>();
let stopListening: readonly (() => void)[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let matrixHeight = 300;

/** Live runs grow; comparing them anew with every frame would be the page's main work. */
const RECOMPARE_MS = 700;

export function currentComparison(): Comparison | null {
  return comparison;
}

/** Compare these from now on; the playhead goes to where they part. */
export function showSources(next: Partial<Record<Side, ComparedSource>>): void {
  sources = next;
  for (const stop of stopListening) stop();
  stopListening = Object.values(next).map((source) =>
    source.run().subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        compareAnew();
      }, RECOMPARE_MS);
    }),
  );
  compareAnew();
  const first = comparison?.divergences[0]?.place ?? useCompare.getState().count - 1;
  useCompare.setState({ place: Math.max(0, first) });
  fitCompared();
}

/** Let go of the runs. */
export function forgetSources(): void {
  clearTimeout(timer);
  timer = undefined;
  for (const stop of stopListening) stop();
  stopListening = [];
  sources = {};
  comparison = null;
}

/** Measure the runs again, after one grew or the alignment changed; the playhead keeps its key. */
export function compareAnew(): void {
  const { a, b } = sources;
  const { by, place, version } = useCompare.getState();
  const key = comparison?.alignment.keys[place];
  comparison = null;
  differing = new Map();
  if (a && b) {
    const alignment = alignRuns(a.run(), b.run(), by);
    const divergences = compareRuns(a.run(), b.run(), alignment);
    const metrics = { a: new RunningMetrics(a.run()), b: new RunningMetrics(b.run()) };
    comparison = { sources: { a, b }, alignment, divergences, metrics };
  }
  const count = comparison?.alignment.keys.length ?? 0;
  const kept = comparison && key !== undefined ? placeOfKey(comparison.alignment, key) : place;
  useCompare.setState({ count, place: Math.min(kept, Math.max(0, count - 1)), version: version + 1 });
}

/** Change what the runs have in common on the playhead. */
export function alignBy(by: 'step' | 'tokens'): void {
  const step = frameOf('a', useCompare.getState().place)?.step;
  comparison = null;
  useCompare.setState({ by });
  compareAnew();
  if (step === undefined) return;
  const { count } = useCompare.getState();
  for (let place = 0; place < count; place++) {
    if ((frameOf('a', place)?.step ?? Infinity) < step) continue;
    useCompare.setState({ place });
    break;
  }
  fitCompared();
}

export function runOf(side: Side): RunTrace | null {
  return comparison?.sources[side].run() ?? null;
}

/** Has the run ended before this place? */
export function hasEnded(side: Side, place: number): boolean {
  if (!comparison) return true;
  return place >= (side === 'a' ? comparison.alignment.reachA : comparison.alignment.reachB);
}

/** A run's newest frame at a place, its last one after its end; -1 before its first. */
export function indexOf(side: Side, place: number): number {
  return comparison?.alignment[side][place] ?? -1;
}

export function frameOf(side: Side, place: number): Frame | undefined {
  return runOf(side)?.frameAt(indexOf(side, place));
}

export function layoutOf(side: Side, place: number): readonly LayoutEntry[] {
  return runOf(side)?.layoutAt(indexOf(side, place)) ?? [];
}

/** True for a place at which the run has a frame of its own. */
export function hasFrame(side: Side, place: number): boolean {
  const index = indexOf(side, place);
  return index >= 0 && !hasEnded(side, place) && index !== (place > 0 ? indexOf(side, place - 1) : -1);
}

/** Do the working contexts differ at a place? Remembered until the runs change. */
export function differsAt(place: number): boolean {
  const known = differing.get(place);
  if (known !== undefined) return known;
  const [a, b] = [layoutOf('a', place), layoutOf('b', place)];
  const differs =
    hasEnded('a', place) !== hasEnded('b', place) ||
    a.length !== b.length ||
    a.some(([lod, start, end], i) => {
      const other = b[i]!;
      return lod !== other[0] || start !== other[1] || end !== other[2];
    });
  differing.set(place, differs);
  return differs;
}

/** Tokens of the longer history. */
export function comparedTokens(): number {
  return Math.max(runOf('a')?.cursor ?? 0, runOf('b')?.cursor ?? 0);
}

export function tellComparedHeight(height: number): void {
  matrixHeight = height;
}

export function comparedHeight(): number {
  return matrixHeight;
}

/** Everything in view, as far as rows stay readable. */
export function fitCompared(): void {
  const { count, place } = useCompare.getState();
  const { rowHeight } = followSteps(count, matrixHeight);
  const top = place + 0.5 - matrixHeight / rowHeight / 2;
  useCompare.setState({
    tokens: fitTokens(comparedTokens()),
    steps: clampSteps({ top, rowHeight }, count, matrixHeight),
  });
}
