/**
 * `softmax(q · kᵀ) · v`, three queries at a time that share a key head, so that keys and values are loaded once for
 * three: neighbouring heads of one row under grouped-query attention, neighbouring rows where each head has its own.
 */
import { exponential, greatestOf, sumLanes, sumOf } from './vectors';

/** Where keys, values, queries and results lie, and who sees whom. Strides are bytes; headDim a multiple of 4. */
@unmanaged
export class Attention {
  heads: i32;
  kvHeads: i32;
  headDim: i32;
  /** From one key to the next of a head, values alike. */
  keyStride: i32;
  /** From one key head to the next. */
  keyHeadStride: i32;
  /** From one row to the next; heads are side by side. */
  queryStride: i32;
  outStride: i32;
  keys: usize;
  values: usize;
  queries: usize;
  out: usize;
  /** Query i sees key j iff `firstKey <= j < keyCount` and `j <= i + causalOffset`. */
  firstKey: i32;
  keyCount: i32;
  causalOffset: i32;
}

/**
 * The heads of queries `from` to before `to`, of key heads `fromHead` to before `toHead`.
 *
 * @param scores - room for three rows of `keyCount` float32, each rounded up to whole vectors: this thread's own.
 */
export function attend(
  shape: Attention,
  from: i32,
  to: i32,
  fromHead: i32,
  toHead: i32,
  scores: usize,
): void {
  const group = shape.heads / shape.kvHeads;
  const headBytes = shape.headDim << 2;
  const first = shape.firstKey;
  const scoreStride = (shape.keyCount + 3 & ~3) << 2;
  for (let head = fromHead; head < toHead; head++) {
    const keys = shape.keys + head * shape.keyHeadStride;
    const values = shape.values + head * shape.keyHeadStride;
    const last = to * group - 1;
    for (let pair = from * group; pair <= last; pair += 3) {
      const count = min(3, last + 1 - pair);
      const ia = pair;
      const ib = min(pair + 1, last);
      const ic = min(pair + 2, last);
      const endA = endOf(shape, ia / group);
      const endB = endOf(shape, ib / group);
      const endC = endOf(shape, ic / group);
      const end = max(endA, max(endB, endC));
      const qa = shape.queries + (ia / group) * shape.queryStride + (head * group + (ia % group)) * headBytes;
      const qb = shape.queries + (ib / group) * shape.queryStride + (head * group + (ib % group)) * headBytes;
      const qc = shape.queries + (ic / group) * shape.queryStride + (head * group + (ic % group)) * headBytes;
      const oa = shape.out + (ia / group) * shape.outStride + (head * group + (ia % group)) * headBytes;
      const ob = shape.out + (ib / group) * shape.outStride + (head * group + (ib % group)) * headBytes;
      const oc = shape.out + (ic / group) * shape.outStride + (head * group + (ic % group)) * headBytes;
      if (count == 1) scoreOne(qa, keys, shape.keyStride, headBytes, first, end, scores);
      else scoreThree(qa, qb, qc, keys, shape.keyStride, headBytes, first, end, scores, scoreStride);
      const totalA = exponentiate(scores, first, endA, end);
      if (count == 1) {
        mixOne(scores, values, shape.keyStride, headBytes, first, end, oa, inverse(totalA));
        continue;
      }
      const totalB = exponentiate(scores + scoreStride, first, endB, end);
      const totalC = exponentiate(scores + 2 * scoreStride, first, endC, end);
      mixThree(
        scores,
        scoreStride,
        values,
        shape.keyStride,
        headBytes,
        first,
        end,
        oa,
        ob,
        oc,
        inverse(totalA),
        inverse(totalB),
        inverse(totalC),
      );
    }
  }
}

/**
 * Adds the softmax weights of the newest query to a row: the mean over heads, or the greatest of them.
 *
 * @param weights - `[keyCount]`, rounded up to whole vectors.
 */
export function foldWeights(
  shape: Attention,
  query: i32,
  isGreatest: bool,
  weights: usize,
  scores: usize,
): void {
  const group = shape.heads / shape.kvHeads;
  const headBytes = shape.headDim << 2;
  const end = endOf(shape, query);
  for (let head = 0; head < shape.heads; head++) {
    const q = shape.queries + query * shape.queryStride + head * headBytes;
    const keys = shape.keys + (head / group) * shape.keyHeadStride;
    scoreOne(q, keys, shape.keyStride, headBytes, shape.firstKey, end, scores);
    const total = exponentiate(scores, shape.firstKey, end, end);
    const factor = isGreatest ? <f32>1 / total : <f32>1 / (total * <f32>shape.heads);
    for (let key = shape.firstKey; key < end; key++) {
      const weight = load<f32>(scores + (key << 2)) * factor;
      const at = weights + (key << 2);
      store<f32>(at, isGreatest ? max<f32>(load<f32>(at), weight) : load<f32>(at) + weight);
    }
  }
}

// @ts-ignore: decorator
@inline
function endOf(shape: Attention, query: i32): i32 {
  return min(shape.keyCount, query + shape.causalOffset + 1);
}

/** A query that sees nothing gets zeros. */
// @ts-ignore: decorator
@inline
function inverse(total: f32): f32 {
  return total > 0 ? <f32>1 / total : 0;
}

function scoreOne(
  q: usize,
  keys: usize,
  stride: i32,
  bytes: i32,
  first: i32,
  end: i32,
  scores: usize,
): void {
  let key = first;
  for (; key + 4 <= end; key += 4) {
    const k0 = keys + key * stride;
    const k1 = k0 + stride;
    const k2 = k1 + stride;
    const k3 = k2 + stride;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let at = 0; at < bytes; at += 16) {
      const value = v128.load(q + at);
      s0 = f32x4.add(s0, f32x4.mul(value, v128.load(k0 + at)));
      s1 = f32x4.add(s1, f32x4.mul(value, v128.load(k1 + at)));
      s2 = f32x4.add(s2, f32x4.mul(value, v128.load(k2 + at)));
      s3 = f32x4.add(s3, f32x4.mul(value, v128.load(k3 + at)));
    }
    v128.store(scores + (key << 2), sumLanes(s0, s1, s2, s3));
  }
  for (; key < end; key++) store<f32>(scores + (key << 2), dot(q, keys + key * stride, bytes));
}

// @ts-ignore: decorator
@inline
function dot(q: usize, k: usize, bytes: i32): f32 {
  let sum = f32x4.splat(0);
  for (let at = 0; at < bytes; at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(q + at), v128.load(k + at)));
  }
  return sumOf(sum);
}

function scoreThree(
  qa: usize,
  qb: usize,
  qc: usize,
  keys: usize,
  stride: i32,
  bytes: i32,
  first: i32,
  end: i32,
  scores: usize,
  scoreStride: i32,
): void {
  let key = first;
  for (; key + 4 <= end; key += 4) {
    const k0 = keys + key * stride;
    const k1 = k0 + stride;
    const k2 = k1 + stride;
    const k3 = k2 + stride;
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let c0 = a0;
    let c1 = a0;
    let c2 = a0;
    let c3 = a0;
    for (let at = 0; at < bytes; at += 16) {
      const a = v128.load(qa + at);
      const b = v128.load(qb + at);
      const c = v128.load(qc + at);
      let k = v128.load(k0 + at);
      a0 = f32x4.add(a0, f32x4.mul(a, k));
      b0 = f32x4.add(b0, f32x4.mul(b, k));
      c0 = f32x4.add(c0, f32x4.mul(c, k));
      k = v128.load(k1 + at);
      a1 = f32x4.add(a1, f32x4.mul(a, k));
      b1 = f32x4.add(b1, f32x4.mul(b, k));
      c1 = f32x4.add(c1, f32x4.mul(c, k));
      k = v128.load(k2 + at);
      a2 = f32x4.add(a2, f32x4.mul(a, k));
      b2 = f32x4.add(b2, f32x4.mul(b, k));
      c2 = f32x4.add(c2, f32x4.mul(c, k));
      k = v128.load(k3 + at);
      a3 = f32x4.add(a3, f32x4.mul(a, k));
      b3 = f32x4.add(b3, f32x4.mul(b, k));
      c3 = f32x4.add(c3, f32x4.mul(c, k));
    }
    const target = scores + (key << 2);
    v128.store(target, sumLanes(a0, a1, a2, a3));
    v128.store(target + scoreStride, sumLanes(b0, b1, b2, b3));
    v128.store(target + 2 * scoreStride, sumLanes(c0, c1, c2, c3));
  }
  for (; key < end; key++) {
    const target = scores + (key << 2);
    const k = keys + key * stride;
    store<f32>(target, dot(qa, k, bytes));
    store<f32>(target + scoreStride, dot(qb, k, bytes));
    store<f32>(target + 2 * scoreStride, dot(qc, k, bytes));
  }
}

/** Scores to softmax numerators, in place, zeros from `end` to before `until`; returns their sum. */
function exponentiate(scores: usize, first: i32, end: i32, until: i32): f32 {
  let highest = f32x4.splat(-Infinity);
  let key = first;
  for (; key + 4 <= end; key += 4) highest = f32x4.max(highest, v128.load(scores + (key << 2)));
  let most = greatestOf(highest);
  for (; key < end; key++) most = max<f32>(most, load<f32>(scores + (key << 2)));
  const mosts = f32x4.splat(most);
  let sums = f32x4.splat(0);
  key = first;
  for (; key + 4 <= end; key += 4) {
    const weights = exponential(f32x4.sub(v128.load(scores + (key << 2)), mosts));
    v128.store(scores + (key << 2), weights);
    sums = f32x4.add(sums, weights);
  }
  let total = sumOf(sums);
  for (; key < end; key++) {
    const at = scores + (key << 2);
    const weight = f32x4.extract_lane(exponential(f32x4.splat(load<f32>(at) - most)), 0);
    store<f32>(at, weight);
    total += weight;
  }
  for (key = max(first, end); key < until; key++) store<f32>(scores + (key << 2), 0);
  return total;
}

function mixOne(
  weights: usize,
  values: usize,
  stride: i32,
  bytes: i32,
  first: i32,
  end: i32,
  out: usize,
  factor: f32,
): void {
  const factors = f32x4.splat(factor);
  let at = 0;
  for (; at + 64 <= bytes; at += 64) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let key = first; key < end; key++) {
      const weight = v128.load_splat<f32>(weights + (key << 2));
      const value = values + key * stride + at;
      s0 = f32x4.add(s0, f32x4.mul(weight, v128.load(value)));
      s1 = f32x4.add(s1, f32x4.mul(weight, v128.load(value, 16)));
      s2 = f32x4.add(s2, f32x4.mul(weight, v128.load(value, 32)));
      s3 = f32x4.add(s3, f32x4.mul(weight, v128.load(value, 48)));
    }
    v128.store(out + at, f32x4.mul(s0, factors));
    v128.store(out + at, f32x4.mul(s1, factors), 16);
    v128.store(out + at, f32x4.mul(s2, factors), 32);
    v128.store(out + at, f32x4.mul(s3, factors), 48);
  }
  for (; at < bytes; at += 16) {
    let sum = f32x4.splat(0);
    for (let key = first; key < end; key++) {
      const weight = v128.load_splat<f32>(weights + (key << 2));
      sum = f32x4.add(sum, f32x4.mul(weight, v128.load(values + key * stride + at)));
    }
    v128.store(out + at, f32x4.mul(sum, factors));
  }
}

function mixThree(
  weights: usize,
  weightStride: i32,
  values: usize,
  stride: i32,
  bytes: i32,
  first: i32,
  end: i32,
  oa: usize,
  ob: usize,
  oc: usize,
  factorA: f32,
  factorB: f32,
  factorC: f32,
): void {
  const factorsA = f32x4.splat(factorA);
  const factorsB = f32x4.splat(factorB);
  const factorsC = f32x4.splat(factorC);
  let at = 0;
  for (; at + 64 <= bytes; at += 64) {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let c0 = a0;
    let c1 = a0;
    let c2 = a0;
    let c3 = a0;
    for (let key = first; key < end; key++) {
      const weight = weights + (key << 2);
      const wa = v128.load_splat<f32>(weight);
      const wb = v128.load_splat<f32>(weight + weightStride);
      const wc = v128.load_splat<f32>(weight + 2 * weightStride);
      const source = values + key * stride + at;
      let v = v128.load(source);
      a0 = f32x4.add(a0, f32x4.mul(wa, v));
      b0 = f32x4.add(b0, f32x4.mul(wb, v));
      c0 = f32x4.add(c0, f32x4.mul(wc, v));
      v = v128.load(source, 16);
      a1 = f32x4.add(a1, f32x4.mul(wa, v));
      b1 = f32x4.add(b1, f32x4.mul(wb, v));
      c1 = f32x4.add(c1, f32x4.mul(wc, v));
      v = v128.load(source, 32);
      a2 = f32x4.add(a2, f32x4.mul(wa, v));
      b2 = f32x4.add(b2, f32x4.mul(wb, v));
      c2 = f32x4.add(c2, f32x4.mul(wc, v));
      v = v128.load(source, 48);
      a3 = f32x4.add(a3, f32x4.mul(wa, v));
      b3 = f32x4.add(b3, f32x4.mul(wb, v));
      c3 = f32x4.add(c3, f32x4.mul(wc, v));
    }
    // The last ones first: where there are fewer than three, they are written over.
    storeFour(oc + at, c0, c1, c2, c3, factorsC);
    storeFour(ob + at, b0, b1, b2, b3, factorsB);
    storeFour(oa + at, a0, a1, a2, a3, factorsA);
  }
  for (; at < bytes; at += 16) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    for (let key = first; key < end; key++) {
      const weight = weights + (key << 2);
      const v = v128.load(values + key * stride + at);
      a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(weight), v));
      b = f32x4.add(b, f32x4.mul(v128.load_splat<f32>(weight + weightStride), v));
      c = f32x4.add(c, f32x4.mul(v128.load_splat<f32>(weight + 2 * weightStride), v));
    }
    v128.store(oc + at, f32x4.mul(c, factorsC));
    v128.store(ob + at, f32x4.mul(b, factorsB));
    v128.store(oa + at, f32x4.mul(a, factorsA));
  }
}

// @ts-ignore: decorator
@inline
function storeFour(out: usize, v0: v128, v1: v128, v2: v128, v3: v128, factors: v128): void {
  v128.store(out, f32x4.mul(v0, factors));
  v128.store(out, f32x4.mul(v1, factors), 16);
  v128.store(out, f32x4.mul(v2, factors), 32);
  v128.store(out, f32x4.mul(v3, factors), 48);
}
