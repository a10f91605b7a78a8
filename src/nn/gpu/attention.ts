/**
 * Attention over a cache: queries of neighbouring rows together, keys tile by tile with an online softmax (Milakov &
 * Gimelshein, 2018; tiles as FlashAttention has them). A cache holds `[capacity, kvHeads · headDim]` keys, rotated, then
 * as many values. The query of a row sees its own slot and all before it.
 */
import type { KernelSource } from './kernel.ts';
import { RUN, RUN_STRUCT } from './run.ts';

export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** The largest head that a lane for each vector of it can mix. */
export const MOST_HEAD_DIM = 256;
/** Lanes of a workgroup, and keys of a tile. */
const LANES = 64;
/** Queries of a workgroup where there are many rows. */
export const QUERY_TILE = 8;

function headConstants({ heads, kvHeads, headDim }: HeadShape): string {
  return `
const HEADS = ${heads}u;
const HEAD4 = ${headDim / 4}u;
const KV4 = ${(kvHeads * headDim) / 4}u;
const HEADS_PER_KV = ${heads / kvHeads}u;
const NOTHING = -3.0e38;`;
}

/**
 * A workgroup for each head and each `queries` rows. In a tile, a lane scores one key for all queries, then mixes one
 * vector of every `PARTS`-th value; what its parts mixed is summed at the end.
 */
export function attentionKernel(shape: HeadShape, queries: 1 | typeof QUERY_TILE): KernelSource {
  const vectors = shape.headDim / 4;
  const parts = Math.floor(LANES / vectors);
  /** Lanes that look for a query's highest score. */
  const shares = LANES / queries;
  return {
    label: 'attention',
    bindings: [
      RUN,
      { name: 'q', kind: 'read', type: 'array<vec4f>' },
      { name: 'cache', kind: 'read', type: 'array<vec4f>' },
      { name: 'out', kind: 'write', type: 'array<vec4f>' },
    ],
    code: `${RUN_STRUCT}
${headConstants(shape)}
const QUERIES = ${queries}u;
const PARTS = ${parts}u;
const LANES = ${LANES}u;
var<workgroup> asked : array<vec4f, ${queries * vectors}>;
var<workgroup> scores : array<f32, ${queries * LANES}>;
var<workgroup> tops : array<f32, ${LANES}>;
var<workgroup> weights : array<f32, ${queries * LANES}>;
var<workgroup> mixedOfLane : array<vec4f, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let first = group.x * QUERIES;
  let head = group.y;
  let column = (head / HEADS_PER_KV) * HEAD4;
  let firstSlot = u32(i32(run.firstRow + first) + run.shift);
  let end = firstSlot + min(QUERIES, run.rows - first);
  for (var i = lane; i < QUERIES * HEAD4; i += LANES) {
    let row = min(first + i / HEAD4, run.rows - 1u);
    asked[i] = q[((run.firstRow + row) * HEADS + head) * HEAD4 + i % HEAD4];
  }
  var top : array<f32, ${queries}>;
  var total : array<f32, ${queries}>;
  var mixed : array<vec4f, ${queries}>;
  var score : array<f32, ${queries}>;
  for (var i = 0u; i < QUERIES; i++) { top[i] = NOTHING; }
  let vector = lane % HEAD4;
  let part = lane / HEAD4;
  workgroupBarrier();
  for (var start = 0u; start < end; start += LANES) {
    let key = start + lane;
    // An array that is declared within a loop is not zeroed anew by every compiler.
    for (var i = 0u; i < QUERIES; i++) { score[i] = 0.0; }
    if (key < end) {
      for (var d = 0u; d < HEAD4; d++) {
        let k = cache[key * KV4 + column + d];
        for (var i = 0u; i < QUERIES; i++) { score[i] += dot(k, asked[i * HEAD4 + d]); }
      }
    }
    for (var i = 0u; i < QUERIES; i++) {
      if (key >= end || key > firstSlot + i) { score[i] = NOTHING; }
      scores[i * LANES + lane] = score[i];
    }
    workgroupBarrier();
    var highest = NOTHING;
    for (var i = 0u; i < QUERIES; i++) { highest = max(highest, scores[lane * QUERIES + i]); }
    tops[lane] = highest;
    workgroupBarrier();
    for (var i = 0u; i < QUERIES; i++) {
      var newTop = top[i];
      for (var share = 0u; share < ${shares}u; share++) { newTop = max(newTop, tops[i * ${shares}u + share]); }
      let keep = exp(top[i] - newTop);
      let weight = select(0.0, exp(score[i] - newTop), score[i] > NOTHING);
      total[i] = total[i] * keep + weight;
      mixed[i] *= keep;
      top[i] = newTop;
      weights[i * LANES + lane] = weight;
    }
    workgroupBarrier();
    if (part < PARTS) {
      let keys = min(LANES, end - start);
      for (var j = part; j < keys; j += PARTS) {
        let v = cache[(run.capacity + start + j) * KV4 + column + vector];
        for (var i = 0u; i < QUERIES; i++) { mixed[i] += weights[i * LANES + j] * v; }
      }
    }
  }
  for (var i = 0u; i < QUERIES; i++) {
    scores[i * LANES + lane] = total[i];
    mixedOfLane[lane] = mixed[i];
    workgroupBarrier();
    if (part == 0u && first + i < run.rows) {
      var sum = 0.0;
      for (var other = 0u; other < LANES; other++) { sum += scores[i * LANES + other]; }
      var all = mixedOfLane[vector];
      for (var other = 1u; other < PARTS; other++) { all += mixedOfLane[other * HEAD4 + vector]; }
      out[((run.firstRow + first + i) * HEADS + head) * HEAD4 + vector] = all / sum;
    }
    workgroupBarrier();
  }
}`,
  };
}

/** Values of one head in the weights that are read: whole steps of what a buffer may be bound from. */
export function readingStride(capacitySlots: number): number {
  return Math.ceil(capacitySlots / 64) * 64;
}

/** The softmax of the last row's query over all slots up to its own, a workgroup for each head: `[heads, stride]`. */
export function readingKernel(shape: HeadShape): KernelSource {
  return {
    label: 'attention weights',
    bindings: [
      RUN,
      { name: 'q', kind: 'read', type: 'array<vec4f>' },
      { name: 'cache', kind: 'read', type: 'array<vec4f>' },
      { name: 'out', kind: 'write', type: 'array<f32>' },
    ],
    code: `${RUN_STRUCT}
${headConstants(shape)}
var<workgroup> ofLane : array<f32, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let head = group.x;
  let row = run.firstRow + run.rows - 1u;
  let keys = u32(i32(row) + run.shift) + 1u;
  let asked = (row * HEADS + head) * HEAD4;
  let column = (head / HEADS_PER_KV) * HEAD4;
  let base = head * ((run.capacity + 63u) / 64u * 64u);
  var top = NOTHING;
  for (var key = lane; key < keys; key += ${LANES}u) {
    var score = 0.0;
    for (var d = 0u; d < HEAD4; d++) { score += dot(q[asked + d], cache[key * KV4 + column + d]); }
    out[base + key] = score;
    top = max(top, score);
  }
  ofLane[lane] = top;
  workgroupBarrier();
  for (var i = 0u; i < ${LANES}u; i++) { top = max(top, ofLane[i]); }
  workgroupBarrier();
  var total = 0.0;
  for (var key = lane; key < keys; key += ${LANES}u) {
    let weight = exp(out[base + key] - top);
    out[base + key] = weight;
    total += weight;
  }
  ofLane[lane] = total;
  workgroupBarrier();
  total = 0.0;
  for (var i = 0u; i < ${LANES}u; i++) { total += ofLane[i]; }
  for (var key = lane; key < keys; key += ${LANES}u) { out[base + key] /= total; }
}`,
  };
}

/**
 * One weight for each slot of those of all layers and heads, `[layers, heads, stride]`, by summing or taking the
 * greatest; a lane for each slot. What comes out does not sum to 1 yet.
 */
export function foldKernel(rows: number, isGreatest: boolean): KernelSource {
  return {
    label: 'attention fold',
    bindings: [
      RUN,
      { name: 'weights', kind: 'read', type: 'array<f32>' },
      { name: 'out', kind: 'write', type: 'array<f32>' },
    ],
    code: `${RUN_STRUCT}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id : vec3u) {
  let keys = u32(i32(run.firstRow + run.rows) + run.shift);
  if (id.x >= keys) { return; }
  let stride = (run.capacity + 63u) / 64u * 64u;
  var folded = 0.0;
  for (var row = 0u; row < ${rows}u; row++) {
    ${isGreatest ? 'folded = max(folded, weights[row * stride + id.x]);' : 'folded += weights[row * stride + id.x];'}
  }
  out[id.x] = folded;
}`,
  };
}
