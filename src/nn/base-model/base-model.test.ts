import { beforeAll, describe, expect, it } from 'vitest';
import { BaseModel } from './base-model.ts';
import { selectBackend } from '../backend/device.ts';
import { CapacityError, ShapeError } from '../errors.ts';
import { WeightError } from '../model-folder/errors.ts';
import { largestError } from '../testing/fixture-parity.ts';
import { createGistNet } from '../gist-net/gist-net.ts';
import { createLensNet } from '../lens-net/lens-net.ts';
import { memoryReport } from '../backend/memory-report.ts';
import { measurePatchError } from '../testing/patch-parity.ts';
import {
  randomValues,
  SYNTHETIC_GIST_NET,
  SYNTHETIC_LENS_NET,
  syntheticBase,
  syntheticConfig,
  syntheticGistNet,
  syntheticLensNet,
} from '../testing/synthetic-weights.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

const CONFIG = syntheticConfig({
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
});
const SIZE = CONFIG.hiddenSize;
const VOCABULARY = CONFIG.vocabularySize;

function positionsFrom(start: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => start + i);
}

const PATHS = nodeWasmPaths();
const WITHOUT_KERNELS = {
  ...PATHS,
  kernels: { ...PATHS.kernels, plain: () => Promise.resolve(new Uint8Array(8)) },
};

describe.each([
  ['wasm', 'its own kernels', PATHS],
  ['wasm', 'TensorFlow.js alone', WITHOUT_KERNELS],
  ['cpu', 'TensorFlow.js alone', PATHS],
] as const)('base model on %s with %s', (backend, _, wasmPaths) => {
  let model: BaseModel;
  beforeAll(async () => {
    await selectBackend(backend, { wasmPaths });
    model = await BaseModel.open(CONFIG, syntheticBase(CONFIG));
  });

  it('gives the same logits in one pass, in chunks and slot by slot', async () => {
    const count = 300;
    const embeddings = randomValues(count * SIZE, 9);
    const session = model.createDecodeSession(count);
    const whole = await session.append(embeddings, positionsFrom(0, count), 'all');
    session.truncate(0);
    const slotBySlot = new Float32Array(count * VOCABULARY);
    for (let i = 0; i < count; i++) {
      const row = embeddings.subarray(i * SIZE, (i + 1) * SIZE);
      slotBySlot.set(await session.append(row, positionsFrom(i, 1), 'last'), i * VOCABULARY);
    }
    expect(largestError(slotBySlot, whole)).toBeLessThan(1e-5);
    // The rows that are wanted begin in one chunk and end in another.
    for (const [prefix, wanted] of [
      [0, 70],
      [290, 4],
      [100, 0],
    ] as const) {
      session.truncate(prefix);
      const rest = embeddings.subarray(prefix * SIZE);
      const last = await session.append(rest, positionsFrom(prefix, count - prefix), wanted);
      expect(last).toHaveLength(wanted * VOCABULARY);
      expect(largestError(last, whole.subarray((count - wanted) * VOCABULARY))).toBeLessThan(1e-5);
    }
    session.truncate(count - 1);
    const after = await session.append(embeddings.subarray(-SIZE), positionsFrom(count - 1, 1), 'last');
    expect(largestError(after, whole.subarray(-VOCABULARY))).toBeLessThan(1e-5);
    session.dispose();
  });

  it('continues after truncate exactly as a fresh session does', async () => {
    const used = model.createDecodeSession(64);
    await used.append(randomValues(64 * SIZE, 10), positionsFrom(0, 64), 'last');
    used.truncate(0);
    const fresh = model.createDecodeSession(64);
    const prefix = randomValues(20 * SIZE, 11);
    const next = randomValues(3 * SIZE, 12);
    for (const session of [used, fresh]) {
      await session.append(prefix, positionsFrom(5, 20), 'last');
    }
    used.truncate(10);
    await used.append(prefix.slice(10 * SIZE), positionsFrom(15, 10), 'last');
    const fromUsed = await used.append(next, positionsFrom(40, 3), 'all');
    const fromFresh = await fresh.append(next, positionsFrom(40, 3), 'all');
    expect(largestError(fromUsed, fromFresh)).toBeLessThan(1e-5);
    used.dispose();
    fresh.dispose();
  });

  it('runs one slot of several sessions together as each would run it alone', async () => {
    const lengths = [3, 40, 290];
    const sessions = lengths.map(() => model.createDecodeSession(300));
    const next = randomValues(lengths.length * SIZE, 21);
    const alone: Float32Array[] = [];
    for (const [i, length] of lengths.entries()) {
      const session = sessions[i]!;
      await session.append(randomValues(length * SIZE, 30 + i), positionsFrom(i, length), 'last');
      const own = next.subarray(i * SIZE, (i + 1) * SIZE);
      alone.push(await session.append(own, positionsFrom(500 + i, 1), 'last'));
      session.truncate(length);
    }
    const positions = Float64Array.of(500, 501, 502);
    const hidden = await model.appendTogether(sessions, next, positions);
    expect(hidden).toHaveLength(lengths.length * SIZE);
    const logits = await model.logitsOf(hidden);
    lengths.forEach((length, i) => {
      expect(sessions[i]!.length).toBe(length + 1);
      const own = logits.subarray(i * VOCABULARY, (i + 1) * VOCABULARY);
      expect(largestError(own, alone[i]!)).toBeLessThan(1e-5);
    });
    // What was appended together is seen by what follows.
    const after = await sessions[1]!.append(randomValues(SIZE, 40), positionsFrom(502, 1), 'last');
    const fresh = model.createDecodeSession(300);
    await fresh.append(randomValues(40 * SIZE, 31), positionsFrom(1, 40), 0);
    await fresh.append(next.subarray(SIZE, 2 * SIZE), positionsFrom(501, 1), 0);
    const expected = await fresh.append(randomValues(SIZE, 40), positionsFrom(502, 1), 'last');
    expect(largestError(after, expected)).toBeLessThan(1e-5);
    for (const session of [...sessions, fresh]) session.dispose();
  });

  it.each(['mean', 'strongest-head', 'last-layer'] as const)(
    'reads the attention of slots that run together as of each alone, and changes nothing by it: %s',
    async (reading) => {
      const lengths = [3, 40];
      const sessions = lengths.map(() => model.createDecodeSession(64));
      const next = randomValues(lengths.length * SIZE, 51);
      const positions = Float64Array.of(500, 501);
      const alone: Float32Array[] = [];
      for (const [i, length] of lengths.entries()) {
        const session = sessions[i]!;
        await session.append(randomValues(length * SIZE, 60 + i), positionsFrom(i, length), 'last');
        const own = next.subarray(i * SIZE, (i + 1) * SIZE);
        await session.append(own, positions.subarray(i, i + 1), 'last', undefined, reading);
        alone.push(session.lastAttention!);
        session.truncate(length);
      }
      const plain = await model.appendTogether(sessions, next, positions);
      expect(sessions.map(({ lastAttention }) => lastAttention)).toEqual([null, null]);
      for (const [i, length] of lengths.entries()) sessions[i]!.truncate(length);
      const read = await model.appendTogether(sessions, next, positions, undefined, reading);
      expect(read).toEqual(plain);
      for (const [i, session] of sessions.entries()) {
        expect(session.lastAttention).toHaveLength(lengths[i]! + 1);
        expect(largestError(session.lastAttention!, alone[i]!)).toBeLessThan(1e-5);
        session.dispose();
      }
    },
  );

  it('goes on from slots copied of another session as from its own', async () => {
    const lender = model.createDecodeSession(300);
    const prefix = randomValues(280 * SIZE, 71);
    await lender.append(prefix, positionsFrom(3, 280), 0);
    const own = model.createDecodeSession(290);
    await own.append(prefix.slice(0, 9 * SIZE), positionsFrom(3, 9), 0);
    own.copyFrom(lender, 270);
    expect([own.length, lender.length]).toEqual([270, 280]);
    const fresh = model.createDecodeSession(290);
    await fresh.append(prefix.slice(0, 270 * SIZE), positionsFrom(3, 270), 0);
    const next = randomValues(3 * SIZE, 72);
    const [copied, expected] = [
      await own.append(next, positionsFrom(900, 3), 'all'),
      await fresh.append(next, positionsFrom(900, 3), 'all'),
    ];
    expect(largestError(copied, expected)).toBeLessThan(1e-5);
    expect(() => {
      own.copyFrom(lender, 281);
    }).toThrow(RangeError);
    expect(() => {
      own.copyFrom(lender, 4);
    }).toThrow(RangeError);
    expect(own.length).toBe(273);
    for (const session of [lender, own, fresh]) session.dispose();
  });

  it('refuses to run together what is full, twice the same or disposed, and changes nothing', async () => {
    const full = model.createDecodeSession(2);
    const free = model.createDecodeSession(8);
    await full.append(randomValues(2 * SIZE, 22), positionsFrom(0, 2), 0);
    await free.append(randomValues(2 * SIZE, 23), positionsFrom(0, 2), 0);
    const two = randomValues(2 * SIZE, 24);
    const at = positionsFrom(2, 2);
    await expect(model.appendTogether([free, full], two, at)).rejects.toThrow(CapacityError);
    await expect(model.appendTogether([free, free], two, at)).rejects.toThrow(/twice/);
    expect([full.length, free.length]).toEqual([2, 2]);
    full.dispose();
    await expect(model.appendTogether([free, full], two, at)).rejects.toThrow(/disposed/);
    expect(free.length).toBe(2);
    free.dispose();
  });

  it('moves cached slots and fills the gaps between them', async () => {
    expect(await measurePatchError()).toBeLessThan(1e-5);
    const session = model.createDecodeSession(40);
    const embeddings = randomValues(30 * SIZE, 17);
    const next = [randomValues(SIZE, 18), positionsFrom(30, 1), 'last'] as const;
    await session.append(embeddings, positionsFrom(0, 30), 'last');
    const untouched = await session.append(...next);
    session.truncate(30);
    // The same slots in the same place, over several layers.
    session.rearrange(Int32Array.from({ length: 30 }, (_, slot) => (slot >= 12 && slot < 15 ? -1 : slot)));
    await session.fill(12, embeddings.subarray(12 * SIZE, 15 * SIZE), positionsFrom(12, 3));
    expect(session.length).toBe(30);
    expect(largestError(await session.append(...next), untouched)).toBeLessThan(1e-5);
    session.dispose();
  });

  it('refuses to move or fill what is not cached, and changes nothing', async () => {
    const session = model.createDecodeSession(4);
    const three = randomValues(3 * SIZE, 13);
    await session.append(three, positionsFrom(0, 3), 'last');
    expect(() => {
      session.rearrange(Int32Array.of(0, 3));
    }).toThrow(RangeError);
    expect(() => {
      session.rearrange(Int32Array.of(0, -1, -1, 1, 2));
    }).toThrow(CapacityError);
    await expect(session.fill(2, three.subarray(SIZE), positionsFrom(2, 2))).rejects.toThrow(RangeError);
    expect(session.length).toBe(3);
    session.dispose();
  });

  it('refuses to overflow, and changes nothing', async () => {
    const session = model.createDecodeSession(4);
    await session.append(randomValues(3 * SIZE, 13), positionsFrom(0, 3), 'last');
    const tooMany = session.append(randomValues(2 * SIZE, 14), positionsFrom(3, 2), 'last');
    await expect(tooMany).rejects.toThrow(CapacityError);
    await expect(session.append(new Float32Array(5), positionsFrom(3, 1), 'last')).rejects.toThrow(
      ShapeError,
    );
    expect(session.length).toBe(3);
    expect(() => {
      session.truncate(4);
    }).toThrow(RangeError);
    session.dispose();
    await expect(session.append(new Float32Array(SIZE), positionsFrom(0, 1), 'last')).rejects.toThrow(
      /disposed/,
    );
  });

  it('looks embeddings up and names unknown ids', () => {
    const rows = model.embed([3, 3, 5]);
    expect(rows.slice(0, SIZE)).toEqual(rows.slice(SIZE, 2 * SIZE));
    expect(() => model.embed([VOCABULARY])).toThrow(/64 is outside the vocabulary of 64/);
    expect(() => model.embed([-1])).toThrow(RangeError);
  });

  it('leaves no tensor behind when the weights do not fit', async () => {
    const before = memoryReport();
    const wrong = syntheticBase(syntheticConfig({ ...RAW, num_hidden_layers: 1 }));
    await expect(BaseModel.open(CONFIG, wrong)).rejects.toThrow(WeightError);
    expect(memoryReport()).toEqual(before);
  });
});

const RAW = {
  vocab_size: 64,
  hidden_size: 32,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
};

/** All slots but the eighth, which leaves a gap. */
function withoutOne(length: number): Int32Array {
  return Int32Array.from({ length: length - 1 }, (_, slot) => (slot === 7 ? -1 : slot + Number(slot > 7)));
}

it('holds memory flat over 1,000 refocus-like cycles', async () => {
  await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
  const model = await BaseModel.open(CONFIG, syntheticBase(CONFIG));
  const gistConfig = { ...SYNTHETIC_GIST_NET, contextChildren: 4 };
  const gistNet = await createGistNet(CONFIG, gistConfig, syntheticGistNet(CONFIG));
  const lensNet = await createLensNet(SIZE, 1e-5, SYNTHETIC_LENS_NET, syntheticLensNet(SIZE));
  const session = model.createDecodeSession(64);
  const slots = randomValues(40 * SIZE, 15);
  const view = {
    slotCount: 40,
    embeddings: slots,
    blockVectors: slots,
    features: randomValues(40 * 12, 16),
    lexical: null,
    tail: slots.subarray(0, 8 * SIZE),
    tailCount: 8,
  };
  const cycle = async (): Promise<void> => {
    session.truncate(Math.min(session.length, 20));
    await session.append(slots.subarray(0, 30 * SIZE), positionsFrom(20, 30), 'last');
    await session.append(slots.subarray(0, SIZE), positionsFrom(50, 1), 'last');
    session.rearrange(withoutOne(session.length));
    await session.fill(7, slots.subarray(0, SIZE), positionsFrom(7, 1));
    await gistNet.compress(1, slots.subarray(0, 36 * SIZE), [2]);
    await lensNet.logits(view);
  };
  await cycle();
  const before = memoryReport();
  for (let i = 0; i < 1000; i++) await cycle();
  expect(memoryReport()).toEqual(before);
  for (const network of [session, model, gistNet, lensNet]) network.dispose();
});
