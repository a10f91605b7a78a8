/** The kernels on several threads: the same to the bit as on one, at odd shapes, and also when a thread fails. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelUse } from '../backend/kernel-memory.ts';
import type { FromThread, ThreadHandle } from '../backend/kernel-thread.ts';
import { ThreadPool, type ThreadPoolOptions } from '../backend/thread-pool.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import type { StoredMatrix, TensorFile } from '../model-folder/tensor-file.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../testing/synthetic-weights.ts';
import type { BaseConfig } from './config.ts';
import { KernelRunner } from './kernel-runner.ts';

const { kernels } = nodeWasmPaths();
const BUILD = join(import.meta.dirname, '../../../kernels/build');
/** Everything is worth a thread. */
const ANY_SHARE = 1;

/** Nothing here fills a vector, a panel or a share. */
const ODD = syntheticConfig({
  vocab_size: 101,
  hidden_size: 38,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 3,
  head_dim: 12,
  intermediate_size: 53,
});
/** One key head, rows of whole groups. */
const GROUPED = syntheticConfig({
  vocab_size: 37,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 32,
  intermediate_size: 96,
  tie_word_embeddings: true,
});

/** The same weights with 8 bits in groups of 32. */
function inGroups(file: TensorFile): TensorFile {
  const stored = (name: string, shape: readonly [number, number]): StoredMatrix => {
    const values = file.floats(name, shape);
    const scale = Float32Array.from(
      { length: values.length / 32 },
      (_, group) => Math.max(...values.subarray(group * 32, group * 32 + 32).map(Math.abs), 1e-9) / 127,
    );
    const numbers = Int8Array.from(values, (value, i) => Math.round(value / scale[Math.floor(i / 32)]!));
    return { format: 'q8', values: new Uint8Array(numbers.buffer), scale, least: null };
  };
  return {
    file: file.file,
    names: file.names,
    has: (name) => file.has(name),
    shape: (name) => file.shape(name),
    floats: (name, shape) => file.floats(name, shape),
    stored,
  };
}

const BASES = {
  'odd shapes': { config: ODD, file: syntheticBase(ODD) },
  'grouped weights': { config: GROUPED, file: inGroups(syntheticBase(GROUPED)) },
} as const;
type Base = (typeof BASES)[keyof typeof BASES];

let plain: WebAssembly.Module;
let shared: WebAssembly.Module;
const pools = new Map<number, ThreadPool>();

async function startPool(options: Partial<ThreadPoolOptions>): Promise<ThreadPool> {
  const { startThread } = kernels;
  const pool = await ThreadPool.start({ threads: 2, module: shared, startThread, ...options });
  if (typeof pool === 'string') throw new Error(pool);
  return pool;
}

beforeAll(async () => {
  const modules = ['kernels.wasm', 'kernels-shared.wasm'].map(async (name) =>
    WebAssembly.compile(await readFile(join(BUILD, name))),
  );
  [plain, shared] = (await Promise.all(modules)) as [WebAssembly.Module, WebAssembly.Module];
  for (const threads of [2, 3, 5]) pools.set(threads, await startPool({ threads }));
}, 120_000);

afterAll(() => {
  for (const pool of pools.values()) pool.close();
});

function positions(first: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => first + i / 2);
}

/** All that a runner does, at these numbers of rows. @returns everything that came out. */
async function everything({ config, file }: Base, pool: ThreadPool | null, rowCounts: readonly number[]) {
  const runner = new KernelRunner(config, file, plain, pool, ANY_SHARE);
  const found: Float32Array[] = [runner.lookUp([0, 5, 36])];
  const rows = (count: number, seed: number) => randomValues(count * config.hiddenSize, seed);
  try {
    const contexts = [0, 1, 2].map(() => runner.createContext(120));
    const [first] = contexts as [(typeof contexts)[0], ...typeof contexts];
    for (const [i, count] of rowCounts.entries()) {
      const { logits, attention } = await first.forward({
        embeddings: rows(count, i),
        positions: positions(first.length, count),
        wanted: i % 3 === 0 ? count : i % 3 === 1 ? Math.ceil(count / 2) : 0,
        reading: (['mean', 'strongest-head', 'last-layer'] as const)[i % 3],
      });
      first.length += count;
      found.push(logits, attention ?? new Float32Array());
    }
    first.moveSlots(1, Int32Array.of(0, 0));
    first.length = 3;
    found.push(await first.forwardForHeads({ embeddings: rows(4, 50), positions: positions(3, 4) }));
    for (const [i, context] of contexts.entries()) context.length = i;
    const together = await runner.forwardTogether(contexts, {
      embeddings: rows(3, 60),
      positions: positions(7, 3),
      reading: 'mean',
    });
    found.push(together.hidden, ...together.attention!, await runner.logitsOf(together.hidden));
    for (const context of contexts) context.dispose();
    return found;
  } finally {
    runner.dispose();
  }
}

describe.each(Object.entries(BASES))('%s', (_, base) => {
  it.each([2, 3, 5])('come out of %i threads as of one, to the bit', async (threads) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 6 }),
        async (counts) => {
          expect(await everything(base, pools.get(threads)!, counts)).toEqual(
            await everything(base, null, counts),
          );
        },
      ),
      { numRuns: 12 },
    );
    expect(pools.get(threads)!.threads).toBe(threads);
  });
});

it('gives all memory back', async () => {
  const before = { ...kernelUse };
  await everything(BASES['odd shapes'], pools.get(2)!, [3]);
  expect(kernelUse).toEqual(before);
});

it('shows a thread a memory with its first run there, since one that grows meanwhile can keep its old bounds', async () => {
  const posted: string[][] = [];
  const pool = await startPool({
    threads: 3,
    startThread: () => {
      const handle = kernels.startThread();
      const own: string[] = [];
      posted.push(own);
      return {
        ...handle,
        post: (message) => {
          own.push(message.kind);
          handle.post(message);
        },
      };
    },
  });
  const { config, file } = BASES['odd shapes'];
  const runner = new KernelRunner(config, file, plain, pool, ANY_SHARE);
  const context = runner.createContext(8);
  expect(posted).toEqual([['start'], ['start']]);
  const request = { embeddings: randomValues(config.hiddenSize, 1), positions: positions(0, 1), wanted: 1 };
  await context.forward(request);
  await context.forward(request);
  for (const own of posted) {
    expect(own.filter((kind) => kind !== 'run')).toEqual(['start', 'lend']);
    expect(own[1]).toBe('lend');
  }
  context.dispose();
  runner.dispose();
  expect(posted.map((own) => own.at(-1))).toEqual(['takeBack', 'takeBack']);
  pool.close();
});

/** Starts, and then says nothing more. */
function silentThread(onEnd: () => void): ThreadHandle {
  let tell: (message: FromThread) => void = () => undefined;
  return {
    post: ({ kind }) => {
      if (kind === 'start')
        queueMicrotask(() => {
          tell({ kind: 'ready' });
        });
    },
    onMessage: (listener) => {
      tell = listener;
    },
    onFailure: () => undefined,
    terminate: onEnd,
  };
}

describe('a thread that fails', () => {
  const { config, file }: { readonly config: BaseConfig; readonly file: TensorFile } = BASES['odd shapes'];

  it('in the middle of a run costs its patience and nothing else', async () => {
    const lost: string[] = [];
    let ended = 0;
    const pool = await startPool({
      startThread: () => silentThread(() => ended++),
      patienceMs: 20,
      onLost: (reason) => lost.push(reason),
    });
    const counts = [5, 1, 9];
    expect(await everything({ config, file }, pool, counts)).toEqual(
      await everything({ config, file }, null, counts),
    );
    expect(lost).toEqual(['a thread of the processor stopped in the middle of its work']);
    expect([pool.threads, ended]).toEqual([1, 1]);
  });

  it('between two runs leaves the others out, too', async () => {
    const handles: ThreadHandle[] = [];
    let tellFailure: (reason: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => {
      tellFailure = resolve;
    });
    const pool = await startPool({
      threads: 3,
      startThread: () => {
        const handle = kernels.startThread();
        handles.push(handle);
        return handle;
      },
      onLost: tellFailure,
    });
    const runner = new KernelRunner(config, file, plain, pool, ANY_SHARE);
    const request = {
      embeddings: randomValues(4 * config.hiddenSize, 1),
      positions: positions(0, 4),
      wanted: 4,
    };
    const context = runner.createContext(8);
    const before = await context.forward(request);
    // A memory that it was never lent.
    handles[1]!.post({ kind: 'run', memoryId: 99, kernel: 'runStack', parameters: [], threads: 3, sync: 0 });
    await lost;
    expect(pool.threads).toBe(1);
    expect(await context.forward(request)).toEqual(before);
    runner.dispose();
  });

  it('at the start is said, and those that had started are ended', async () => {
    let ended = 0;
    let started = 0;
    const startThread = (): ThreadHandle => {
      if (++started === 3) throw new Error('no more workers');
      return silentThread(() => ended++);
    };
    expect(await ThreadPool.start({ threads: 4, module: shared, startThread })).toBe('no more workers');
    expect(ended).toBe(2);
    const mute = (): ThreadHandle => ({ ...silentThread(() => ended++), post: () => undefined });
    expect(await ThreadPool.start({ threads: 2, module: shared, startThread: mute, startMs: 10 })).toBe(
      'the threads did not start in time',
    );
    expect(ended).toBe(3);
  });
});
