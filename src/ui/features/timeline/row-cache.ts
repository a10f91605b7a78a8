/** What rows were made into when they were drawn last. Whoever draws the same rows again and again keeps one. */
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { Frame } from '../../model/frame.ts';
import { joinBlocks } from '../../model/merge-runs.ts';
import { type HeatRun, heatRuns } from './heat.ts';

/** More than the rows of a tall screen. */
const KEPT_HEAT_ROWS = 1200;

export class RowCache {
  /** Remembered for as long as the layout lives. */
  readonly #joined = new WeakMap<readonly LayoutEntry[], readonly LayoutEntry[]>();
  /** Scores are decoded afresh at every reading, and zooming reads them all. */
  readonly #heat = new Map<Frame, { readonly width: number; readonly runs: readonly HeatRun[] }>();

  joinedOf(entries: readonly LayoutEntry[]): readonly LayoutEntry[] {
    const known = this.#joined.get(entries);
    if (known) return known;
    const joined = joinBlocks(entries);
    this.#joined.set(entries, joined);
    return joined;
  }

  heatOf(frame: Frame, width: number, scores: () => ArrayLike<number> | null): readonly HeatRun[] {
    const known = this.#heat.get(frame);
    if (known?.width === width) return known.runs;
    const values = scores();
    const runs = values ? heatRuns(values, width) : [];
    if (this.#heat.size >= KEPT_HEAT_ROWS) this.#heat.delete(this.#heat.keys().next().value!);
    this.#heat.set(frame, { width, runs });
    return runs;
  }
}
