/** Milliseconds of every stage by step, in one column for the whole run. */
import { ChunkedRows } from '../../base/chunked-array.ts';
import { type Stage, STAGES } from '../../core/trace/telemetry.ts';

export class LatencyTable {
  readonly #rowOfStep = new Map<number, number>();
  /** `[steps, stages]`. */
  readonly #ms = new ChunkedRows((cells) => new Float64Array(cells), STAGES.length);

  add(step: number, stage: Stage, ms: number): void {
    let row = this.#rowOfStep.get(step);
    if (row === undefined) {
      row = this.#ms.length;
      this.#rowOfStep.set(step, row);
      this.#ms.grow(1);
    }
    const column = STAGES.indexOf(stage);
    this.#ms.set(row, this.#ms.get(row, column) + ms, column);
  }

  /** In the order of STAGES; borrowed. Undefined for a step of which nothing was told. */
  at(step: number): Float64Array | undefined {
    const row = this.#rowOfStep.get(step);
    return row === undefined ? undefined : this.#ms.span(row, row + 1);
  }
}
