/**
 * Measures how far a patched cache is from a fresh one on the active backend. In a base of one layer, keys and
 * values depend on their own slot alone, so that both must agree. Shared by tests under Node and in the browser.
 */
import { BaseModel } from '../base-model/base-model.ts';
import { largestError } from './fixture-parity.ts';
import { randomValues, syntheticBase, syntheticConfig } from './synthetic-weights.ts';

const CONFIG = syntheticConfig({
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
});
const SIZE = CONFIG.hiddenSize;
const CACHED = 90;

/** What a cache of `CACHED` slots becomes: shorter here, longer there, its last slots run anew. */
function changedSlots(): { readonly sources: Int32Array; readonly positions: Float64Array } {
  const kept = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
  const gap = (count: number): number[] => Array.from({ length: count }, () => -1);
  const sources = Int32Array.from([
    ...kept(0, 10),
    ...gap(1),
    ...kept(40, 60),
    ...gap(32),
    ...kept(61, CACHED),
  ]);
  const positions = Float64Array.from(sources, (source, slot) => (source < 0 ? 1000 + slot : 3 * source));
  return { sources, positions };
}

/** @returns the largest absolute error over the logits of five following slots. */
export async function measurePatchError(): Promise<number> {
  const model = await BaseModel.open(CONFIG, syntheticBase(CONFIG));
  const { sources, positions } = changedSlots();
  const before = randomValues(CACHED * SIZE, 31);
  const swapped = randomValues(sources.length * SIZE, 32);
  const wanted = swapped.slice();
  sources.forEach((source, slot) => {
    if (source >= 0) wanted.set(before.subarray(source * SIZE, (source + 1) * SIZE), slot * SIZE);
  });
  const following = randomValues(5 * SIZE, 33);
  const places = Float64Array.from([2000, 2001, 2002, 2003, 2004]);
  const patched = model.createDecodeSession(160);
  const fresh = model.createDecodeSession(160);
  try {
    await patched.append(
      before,
      Float64Array.from({ length: CACHED }, (_, slot) => 3 * slot),
      'last',
    );
    patched.rearrange(sources);
    for (let slot = 0; slot < sources.length; slot++) {
      if (sources[slot] !== -1) continue;
      const row = wanted.subarray(slot * SIZE, (slot + 1) * SIZE);
      await patched.fill(slot, row, positions.subarray(slot, slot + 1));
    }
    await fresh.append(wanted, positions, 'last');
    const found = await patched.append(following, places, 'all');
    return largestError(found, await fresh.append(following, places, 'all'));
  } finally {
    for (const network of [patched, fresh, model]) network.dispose();
  }
}
