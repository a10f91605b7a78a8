/** The networks alone, in processor time: the base at two widths, what they hold, and each call beside its roofline. */
import { Profile, type ProfileRow } from '../../src/core/profile/profile.ts';
import { boundOf } from '../../src/core/profile/roofline.ts';
import { memoryReport } from '../../src/nn/backend/memory-report.ts';
import { measureBackend } from '../../src/nn/backend/throughput.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { profiledModel } from '../../src/nn/profiling/profiled-model.ts';
import { type BenchRow, processorMs, rowOf } from './measure.ts';
import { gistBlocks, gistView, randomSlots } from './network-inputs.ts';

const WIDTHS = [512, 2048] as const;
/** Tokens decoded a round: one alone is shorter than what the clock tells. */
const DECODED = 8;
const PREFILL_ROWS = 256;
const LENS_SLOTS = 1024;
const GIST_BLOCKS = 32;
const MEGA = 1e6;

/** Milliseconds a token behind a context of each width. */
export async function decodeSuite({ base }: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const width of WIDTHS) {
    const { embeddings, positions } = randomSlots(base, width + DECODED);
    const d = base.hiddenSize;
    const session = base.createDecodeSession(width + DECODED);
    await session.append(embeddings.subarray(0, width * d), positions.subarray(0, width), 0);
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      session.truncate(width);
      const from = processorMs();
      for (let at = width; at < width + DECODED; at++) {
        await session.append(
          embeddings.subarray(at * d, (at + 1) * d),
          positions.subarray(at, at + 1),
          'last',
        );
      }
      // The first round compiles and fills caches.
      if (round > 0) times.push((processorMs() - from) / DECODED);
    }
    session.dispose();
    rows.push(rowOf(`decode a token behind ${width} slots`, times, 'ms'));
  }
  return rows;
}

/** Slots per second of a context that is read from its beginning. */
export async function prefillSuite({ base }: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const width of WIDTHS) {
    const { embeddings, positions } = randomSlots(base, width);
    const session = base.createDecodeSession(width);
    const speeds: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      session.truncate(0);
      const from = processorMs();
      await session.append(embeddings, positions, 'last');
      if (round > 0) speeds.push(width / ((processorMs() - from) / 1000));
    }
    session.dispose();
    rows.push(rowOf(`prefill ${width} slots`, speeds, 'slots per CPU second'));
  }
  return rows;
}

/** What the networks hold when they are loaded, what a cache adds, and the whole process. */
export function memorySuite({ base }: LoadedModel): readonly BenchRow[] {
  const { bytes } = memoryReport();
  const session = base.createDecodeSession(WIDTHS[1]);
  const cache = memoryReport().bytes - bytes;
  session.dispose();
  return [
    rowOf('weights of all networks, and room to run', [bytes / MEGA], 'MB'),
    rowOf(`cache of ${WIDTHS[1]} slots`, [cache / MEGA], 'MB'),
    rowOf('the process under Node, resident', [process.memoryUsage().rss / MEGA], 'MB'),
  ];
}

/** Every call as the page's profile has it: how long, and how near to what this machine allows. */
export async function kernelsSuite(model: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const limits = { ...(await measureBackend(processorMs)), recordMs: 0 };
  let passes = 0;
  const run = async (timesKernels: boolean): Promise<readonly ProfileRow[]> => {
    const profile = new Profile(processorMs);
    await callEach(profiledModel(model, { profile, timesKernels: () => timesKernels }), passes++);
    return profile.read().all.rows.filter(({ group }) => group === 'operation');
  };
  // Kernel by kernel for bytes, arithmetic and dispatches: that costs time of its own. It compiles, too.
  const counted = await run(true);
  const runs: (readonly ProfileRow[])[] = [];
  for (let round = 0; round < rounds; round++) runs.push(await run(false));
  const rows = [
    rowOf('weights read in a product of one row', [limits.bytesPerSecond / 1e9], 'GB per second'),
    rowOf('arithmetic of a product of 512²', [limits.flopsPerSecond / 1e9], 'GFLOP per second'),
    rowOf('starting a kernel', [limits.dispatchMs * 1000], 'µs'),
  ];
  for (const row of counted) {
    const { name, calls, dispatches } = row;
    const times = runs.flatMap((all) => all.filter((each) => each.name === name).map(({ ms }) => ms));
    rows.push(rowOf(name, times.map((ms) => ms / calls), 'ms')); // prettier-ignore
    const bound = boundOf(row, limits);
    if (bound !== null)
      rows.push(rowOf(`${name}, of what the machine allows`, times.map((ms) => (100 * bound.ms) / ms), '% per call')); // prettier-ignore
    if (dispatches > 0) rows.push(rowOf(`${name}, kernels started`, [dispatches / calls], 'kernels'));
  }
  return rows;
}

async function callEach({ base, gistNet, lensNet }: LoadedModel, pass: number): Promise<void> {
  const d = base.hiddenSize;
  const [narrow] = WIDTHS;
  const { embeddings, positions } = randomSlots(base, LENS_SLOTS);
  const session = base.createDecodeSession(narrow + PREFILL_ROWS);
  const put = (from: number, to: number) =>
    session.append(embeddings.subarray(from * d, to * d), positions.subarray(from, to), 'last');
  for (let at = 0; at < narrow; at += PREFILL_ROWS) await put(at, at + PREFILL_ROWS);
  for (let at = narrow; at < narrow + DECODED; at++) await put(at, at + 1);
  session.dispose();
  const { children, contextCounts } = gistBlocks(gistNet, embeddings, d, GIST_BLOCKS);
  await gistNet.compress(2, children, contextCounts);
  if (lensNet !== null) await lensNet.score(gistView(embeddings, d, lensNet.tailTokens, pass));
}
