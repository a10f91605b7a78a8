/** Times two ways of doing the same work alternately in one run, so that their ratio means something. */
import { quantile } from 'simple-statistics';

/** One line of the benchmark's output; `ratio` is peer / ours, so above 1 means that ours is faster. */
export interface BenchRow {
  readonly name: string;
  /** The median. */
  readonly ours: number;
  readonly oursMin: number;
  readonly oursMax: number;
  readonly peer: number | null;
  readonly peerName: string | null;
  readonly unit: string;
  readonly ratio: number | null;
  readonly ratioMin: number | null;
  readonly ratioMax: number | null;
  readonly n: number;
}

type Work = () => void | Promise<void>;

/** One round of each comes first and is not counted: it compiles and fills caches. */
export async function compare(options: {
  readonly name: string;
  readonly rounds: number;
  readonly ours: Work;
  readonly peer?: Work;
  readonly peerName?: string;
}): Promise<BenchRow> {
  const { name, rounds, ours, peer, peerName } = options;
  await ours();
  await peer?.();
  const oursMs: number[] = [];
  const ratios: number[] = [];
  const peerMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    oursMs.push(await time(ours));
    if (peer === undefined) continue;
    peerMs.push(await time(peer));
    ratios.push(peerMs.at(-1)! / oursMs.at(-1)!);
  }
  return {
    name,
    ours: quantile(oursMs, 0.5),
    oursMin: Math.min(...oursMs),
    oursMax: Math.max(...oursMs),
    peer: peer === undefined ? null : quantile(peerMs, 0.5),
    peerName: peerName ?? null,
    unit: 'ms',
    ratio: peer === undefined ? null : quantile(ratios, 0.5),
    ratioMin: peer === undefined ? null : Math.min(...ratios),
    ratioMax: peer === undefined ? null : Math.max(...ratios),
    n: rounds,
  };
}

/** Measurements without anything to compare them with. */
export function rowOf(name: string, values: readonly number[], unit: string): BenchRow {
  return {
    name,
    ours: quantile([...values], 0.5),
    oursMin: Math.min(...values),
    oursMax: Math.max(...values),
    peer: null,
    peerName: null,
    unit,
    ratio: null,
    ratioMin: null,
    ratioMax: null,
    n: values.length,
  };
}

export async function time(work: Work): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Milliseconds that this process had of its processors: what other programs take of the machine does not count. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
