/** What the process holds after each round of a soak, and whether it grows. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memoryReport } from '../src/nn/backend/memory-report.ts';
import type { SoakRound } from '../src/runtime/testing/engine-soak.ts';

export interface SoakLine extends SoakRound {
  readonly tensors: number;
  /** Of the backend: data ids that are in use. */
  readonly buffers: number;
  readonly heapBytes: number;
  /** Typed arrays and WASM, which the heap does not count. */
  readonly externalBytes: number;
}

/** Allocators and caches come to rest within this; a session that is not let go of is larger. */
const SLACK_BYTES = 24 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export class SoakLedger {
  readonly lines: SoakLine[] = [];
  private readonly rejections: unknown[] = [];

  constructor() {
    process.on('unhandledRejection', (reason) => this.rejections.push(reason));
  }

  enter(round: SoakRound): SoakLine {
    collectGarbage();
    const { tensors, buffers } = memoryReport();
    const { heapUsed, external } = process.memoryUsage();
    const line = { ...round, tensors, buffers, heapBytes: heapUsed, externalBytes: external };
    this.lines.push(line);
    return line;
  }

  /** In words; empty when nothing grew and nothing was rejected unheard. */
  complaints(): string[] {
    const [first, ...later] = this.lines;
    if (first === undefined || later.length === 0) return ['Too few rounds to compare.'];
    const complaints = this.rejections.map((reason) => `Unhandled rejection: ${String(reason)}`);
    for (const what of ['tensors', 'buffers'] as const) {
      const other = later.find((line) => line[what] !== first[what]);
      if (other !== undefined) {
        complaints.push(
          `${what}: ${first[what]} after the first round, ${other[what]} after ${other.refocuses} refocuses.`,
        );
      }
    }
    for (const what of ['heapBytes', 'externalBytes'] as const) {
      const grown = later.at(-1)![what] - first[what];
      if (grown > SLACK_BYTES)
        complaints.push(`${what}: ${(grown / 2 ** 20).toFixed(1)} MB more than after the first round.`);
    }
    return complaints;
  }
}
