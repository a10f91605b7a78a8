/** Attention of a head that the base did not pay itself: queries of some tokens over the keys of many others. Pure. */

/**
 * How much a head's queries attend to each key: softmax(q · k) over the keys, mean over the queries.
 *
 * @param queries - `[n, heads · headDim]` of a layer, as the base has them.
 * @param keys - `[keyCount, headDim]` of the head alone.
 * @returns `[keyCount]`, sums to 1.
 */
export function attentionMass(
  queries: Float32Array,
  keys: Float32Array,
  head: number,
  { heads, headDim }: { readonly heads: number; readonly headDim: number },
): Float64Array {
  const keyCount = keys.length / headDim;
  const count = queries.length / (heads * headDim);
  const mass = new Float64Array(keyCount);
  const weights = new Float64Array(keyCount);
  for (let query = 0; query < count; query++) {
    const at = (query * heads + head) * headDim;
    for (let key = 0; key < keyCount; key++) {
      let logit = 0;
      for (let j = 0; j < headDim; j++) logit += queries[at + j]! * keys[key * headDim + j]!;
      weights[key] = logit;
    }
    addSoftmax(weights, mass, 1 / count);
  }
  return mass;
}

/** Add `share · softmax(logits)` to the sums; the logits are used up. */
export function addSoftmax(logits: Float64Array, sums: Float64Array, share: number): void {
  let highest = -Infinity;
  for (const logit of logits) if (logit > highest) highest = logit;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += logits[i] = Math.exp(logits[i]! - highest);
  for (let i = 0; i < logits.length; i++) sums[i]! += (share * logits[i]!) / total;
}
