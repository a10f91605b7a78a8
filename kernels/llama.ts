/**
 * A Llama stack over new slots in one call: keys and values go into a cache in this memory, and what comes out are
 * the normed last rows. All threads run it in step; `barrier` stands wherever one reads what others wrote.
 */
import { attend, Attention, foldWeights } from './attention';
import { decodeRow, isGrouped, Linear, product, round, Rounded } from './products';
import { rmsNorm, rotate, swiGlu } from './steps';
import { barrier, shareStart } from './threads';

@unmanaged
export class Layer {
  inputNorm: usize;
  q: Linear;
  k: Linear;
  v: Linear;
  output: Linear;
  postNorm: usize;
  gate: Linear;
  up: Linear;
  down: Linear;
  hasRope: i32;
}

@unmanaged
export class Stack {
  hiddenSize: i32;
  layers: i32;
  heads: i32;
  kvHeads: i32;
  headDim: i32;
  intermediateSize: i32;
  epsilon: f32;
  /** `[layers]` of pointers. */
  layer: usize;
  norm: usize;
}

/** Where one row's keys and values go. */
@unmanaged
export class OwnCache {
  cache: usize;
  capacity: i32;
  length: i32;
  /** As the run's `weights`, where a reading is asked for. */
  weights: usize;
}

/** One run. Rows of float32 are padded to whole vectors; strides are bytes. */
@unmanaged
export class Run {
  rows: i32;
  /** How many last rows go through the top layer. */
  wanted: i32;
  /** Slots in the cache before these rows. */
  length: i32;
  capacity: i32;
  /** `[layers, keys and values, kvHeads, capacity, headDim]` float32. */
  cache: usize;
  /** `[rows, headDim / 2]`, sin alike. */
  cos: usize;
  sin: usize;
  /** `[rows, hiddenSize]`: embeddings; overwritten. */
  x: usize;
  /** As x; holds the wanted rows' normed outputs at the end, the first of them in row `rows - wanted`. */
  normed: usize;
  q: usize;
  k: usize;
  v: usize;
  mixed: usize;
  gate: usize;
  up: usize;
  rounded: Rounded;
  /** Per thread, `panelBytes` apart. */
  panel: usize;
  panelBytes: i32;
  /** Per thread, `scoreBytes` apart. */
  scores: usize;
  scoreBytes: i32;
  /** Per thread an `Attention`, 64 bytes apart. */
  attention: usize;
  /** 0 reads no attention, 1 the mean of heads and layers, 2 the strongest head, 3 the mean of the last layer. */
  reading: i32;
  /** `[length + rows]`, rounded up to whole vectors, zeros: the last row's attention. */
  weights: usize;
  /** Where all layers' keys and queries go, layer after layer, `[rows, kvHeads · headDim]` and `[rows, heads · headDim]`; 0 for nowhere. */
  heads: usize;
  /**
   * `[rows]` of `OwnCache` where each row is one slot behind a cache of its own, and not behind the row before it;
   * 0 where all go behind each other into `cache`.
   */
  caches: usize;
  /** Not 0 where every row sees all rows of the run, those behind it as well. */
  seesAll: i32;
  /** A `Sync`, for `barrier`. */
  sync: usize;
}

/**
 * Up to so many rows, every thread does the steps by rows for itself, each all of them, and all write the same: less
 * work than to wait for each other.
 */
const REPEATED_ROWS = 2;
/** Of activations that meet weights of 8 and 4 bits. */
const WHOLE_MOST: f32 = 32767;

// @ts-ignore: decorator
@inline
function padded(columns: i32): i32 {
  return ((columns + 3) & ~3) << 2;
}

/** @param thread - of `threads`, which all call this with the same run. */
export function runStack(stack: Stack, run: Run, thread: i32, threads: i32): void {
  const top = stack.layers - 1;
  for (let index = 0; index < stack.layers; index++) {
    runLayer(stack, run, index, index == top ? run.wanted : run.rows, thread, threads);
  }
  if (run.wanted == 0) {
    // What was written is whole once all have written it.
    barrier(run.sync, threads);
    return;
  }
  const stride = padded(stack.hiddenSize);
  const first = run.rows - run.wanted;
  const from = first + shareStart(thread, threads, run.wanted, 1);
  const to = first + shareStart(thread + 1, threads, run.wanted, 1);
  rmsNorm(run.x, stride, stack.norm, run.normed, stride, from, to, stack.hiddenSize, stack.epsilon);
  barrier(run.sync, threads);
}

function runLayer(stack: Stack, run: Run, index: i32, wanted: i32, thread: i32, threads: i32): void {
  const layer = load<Layer>(stack.layer + (index << 2));
  const rows = run.rows;
  const hiddenStride = padded(stack.hiddenSize);
  const qStride = padded(stack.heads * stack.headDim);
  const kvStride = padded(stack.kvHeads * stack.headDim);
  const innerStride = padded(stack.intermediateSize);
  const panel = run.panel + thread * run.panelBytes;
  const firstWanted = rows - wanted;

  const from = shareStart(thread, threads, rows, 1);
  const to = shareStart(thread + 1, threads, rows, 1);
  const isRepeated = rows <= REPEATED_ROWS;
  const normFrom = isRepeated ? 0 : from;
  const normTo = isRepeated ? rows : to;
  rmsNorm(run.x, hiddenStride, layer.inputNorm, run.normed, hiddenStride, normFrom, normTo, stack.hiddenSize, stack.epsilon);
  if (isGrouped(layer.q) || isGrouped(layer.k) || isGrouped(layer.v)) {
    round(run.normed, hiddenStride, stack.hiddenSize, run.rounded, normFrom, normTo, WHOLE_MOST);
  }
  if (!isRepeated) barrier(run.sync, threads);

  multiply(layer.k, run.normed, hiddenStride, run, rows, run.k, kvStride, false, panel, thread, threads);
  multiply(layer.v, run.normed, hiddenStride, run, rows, run.v, kvStride, false, panel, thread, threads);
  // Queries that nobody reads are computed along: their rows are few where decoding, and a reading needs them.
  if (wanted > 0 || run.heads != 0) {
    multiply(layer.q, run.normed, hiddenStride, run, rows, run.q, qStride, false, panel, thread, threads);
  }
  barrier(run.sync, threads);

  const headBytes = stack.headDim << 2;
  const half = stack.headDim << 1;
  const scale = <f32>1 / sqrt<f32>(<f32>stack.headDim);
  for (let row = from; row < to; row++) {
    const headStride = capacityOf(run, row) * headBytes;
    const keys = keysOf(stack, run, index, row) + slotOf(run, row) * headBytes;
    const cos = layer.hasRope ? run.cos + row * half : 0;
    const sin = run.sin + row * half;
    rotate(run.k + row * kvStride, stack.kvHeads, stack.headDim, cos, sin, 1, keys, headStride);
    rotate(
      run.v + row * kvStride,
      stack.kvHeads,
      stack.headDim,
      0,
      0,
      1,
      keys + stack.kvHeads * headStride,
      headStride,
    );
    const q = run.q + row * qStride;
    if (wanted > 0 || run.heads != 0) rotate(q, stack.heads, stack.headDim, cos, sin, scale, q, headBytes);
    if (run.heads != 0) copyHeads(stack, run, index, row, keys, headStride, q);
  }
  if (wanted == 0) return;
  barrier(run.sync, threads);

  const shape = changetype<Attention>(run.attention + (thread << 6));
  shape.heads = stack.heads;
  shape.kvHeads = stack.kvHeads;
  shape.headDim = stack.headDim;
  shape.keyStride = headBytes;
  shape.queryStride = qStride;
  shape.outStride = qStride;
  shape.firstKey = 0;
  const scores = run.scores + thread * run.scoreBytes;
  const isRead = run.reading == 3 ? index == stack.layers - 1 : run.reading != 0;
  if (run.caches != 0) {
    for (let row = from; row < to; row++) {
      see(shape, stack, run, index, row, row);
      attend(shape, 0, 1, 0, stack.kvHeads, scores);
      if (isRead) foldWeights(shape, 0, run.reading == 2, ownCache(run, row).weights, scores);
    }
  } else {
    see(shape, stack, run, index, 0, rows - 1);
    // One row is shared by its key heads, many by rows: the later see more, so each takes every n-th few.
    if (wanted < 4 * threads) {
      const fromHead = shareStart(thread, threads, stack.kvHeads, 1);
      const toHead = shareStart(thread + 1, threads, stack.kvHeads, 1);
      attend(shape, firstWanted, rows, fromHead, toHead, scores);
    } else {
      for (let row = firstWanted + 4 * thread; row < rows; row += 4 * threads) {
        attend(shape, row, min(row + 4, rows), 0, stack.kvHeads, scores);
      }
    }
  }
  if (isRead && run.caches == 0 && thread == threads - 1) {
    foldWeights(shape, rows - 1, run.reading == 2, run.weights, scores);
  }
  barrier(run.sync, threads);

  const x = run.x + firstWanted * hiddenStride;
  const mixed = run.mixed + firstWanted * qStride;
  const normed = run.normed + firstWanted * hiddenStride;
  const gate = run.gate + firstWanted * innerStride;
  const up = run.up + firstWanted * innerStride;
  const areFew = wanted <= REPEATED_ROWS;
  const firstOwn = areFew ? 0 : shareStart(thread, threads, wanted, 1);
  const endOwn = areFew ? wanted : shareStart(thread + 1, threads, wanted, 1);
  if (isGrouped(layer.output)) {
    round(mixed, qStride, stack.heads * stack.headDim, run.rounded, firstOwn, endOwn, WHOLE_MOST);
    if (!areFew) barrier(run.sync, threads);
  }
  multiply(layer.output, mixed, qStride, run, wanted, x, hiddenStride, true, panel, thread, threads);
  barrier(run.sync, threads);

  rmsNorm(x, hiddenStride, layer.postNorm, normed, hiddenStride, firstOwn, endOwn, stack.hiddenSize, stack.epsilon);
  if (isGrouped(layer.gate) || isGrouped(layer.up)) {
    round(normed, hiddenStride, stack.hiddenSize, run.rounded, firstOwn, endOwn, WHOLE_MOST);
  }
  if (!areFew) barrier(run.sync, threads);
  multiply(layer.gate, normed, hiddenStride, run, wanted, gate, innerStride, false, panel, thread, threads);
  multiply(layer.up, normed, hiddenStride, run, wanted, up, innerStride, false, panel, thread, threads);
  // Of the very columns that this thread has made.
  const firstInner = shareStart(thread, threads, stack.intermediateSize, 4);
  const endInner = shareStart(thread + 1, threads, stack.intermediateSize, 4);
  swiGlu(gate + (firstInner << 2), up + (firstInner << 2), innerStride, 0, wanted, endInner - firstInner);
  barrier(run.sync, threads);
  if (isGrouped(layer.down)) {
    round(gate, innerStride, stack.intermediateSize, run.rounded, firstOwn, endOwn, WHOLE_MOST);
    if (!areFew) barrier(run.sync, threads);
  }
  multiply(layer.down, gate, innerStride, run, wanted, x, hiddenStride, true, panel, thread, threads);
  barrier(run.sync, threads);
}

// @ts-ignore: decorator
@inline
function ownCache(run: Run, row: i32): OwnCache {
  return changetype<OwnCache>(run.caches + row * offsetof<OwnCache>());
}

function capacityOf(run: Run, row: i32): i32 {
  return run.caches == 0 ? run.capacity : ownCache(run, row).capacity;
}

/** Which slot of its cache a row is. */
function slotOf(run: Run, row: i32): i32 {
  return run.caches == 0 ? run.length + row : ownCache(run, row).length;
}

/** The first key of the first head of a layer; the values follow the keys. */
function keysOf(stack: Stack, run: Run, index: i32, row: i32): usize {
  const cache = run.caches == 0 ? run.cache : ownCache(run, row).cache;
  return cache + 2 * index * stack.kvHeads * capacityOf(run, row) * (stack.headDim << 2);
}

/** Rows `first` to `last`, of one cache, see everything in it up to themselves. */
function see(shape: Attention, stack: Stack, run: Run, index: i32, first: i32, last: i32): void {
  const keys = keysOf(stack, run, index, first);
  shape.keyHeadStride = capacityOf(run, first) * (stack.headDim << 2);
  shape.keys = keys;
  shape.values = keys + stack.kvHeads * shape.keyHeadStride;
  shape.queries = run.q + first * shape.queryStride;
  shape.out = run.mixed + first * shape.outStride;
  shape.keyCount = slotOf(run, last) + 1;
  shape.causalOffset = run.seesAll != 0 ? shape.keyCount : slotOf(run, first);
}

/** This thread's share of a product's outputs. */
function multiply(
  linear: Linear,
  x: usize,
  xStride: i32,
  run: Run,
  rows: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
  panel: usize,
  thread: i32,
  threads: i32,
): void {
  const from = shareStart(thread, threads, linear.outputs, 4);
  const to = shareStart(thread + 1, threads, linear.outputs, 4);
  product(linear, x, xStride, run.rounded, rows, out, outStride, isSum, panel, from, to);
}

function copyHeads(
  stack: Stack,
  run: Run,
  index: i32,
  row: i32,
  key: usize,
  headStride: i32,
  q: usize,
): void {
  const headBytes = stack.headDim << 2;
  const layerBytes = run.rows * (stack.kvHeads + stack.heads) * headBytes;
  const keys = run.heads + index * layerBytes;
  for (let head = 0; head < stack.kvHeads; head++) {
    memory.copy(keys + (row * stack.kvHeads + head) * headBytes, key + head * headStride, headBytes);
  }
  const queries = keys + run.rows * stack.kvHeads * headBytes;
  memory.copy(queries + row * stack.heads * headBytes, q, stack.heads * headBytes);
}

/**
 * A head's outputs for some rows of `run.normed`.
 *
 * @param out - `[count, outputs]`, rows `outStride` bytes apart.
 */
export function runHead(
  head: Linear,
  run: Run,
  first: i32,
  count: i32,
  out: usize,
  outStride: i32,
  thread: i32,
  threads: i32,
): void {
  const stride = padded(head.inputs);
  const x = run.normed + first * stride;
  if (isGrouped(head)) {
    const areFew = count <= REPEATED_ROWS;
    const from = areFew ? 0 : shareStart(thread, threads, count, 1);
    const to = areFew ? count : shareStart(thread + 1, threads, count, 1);
    round(x, stride, head.inputs, run.rounded, from, to, WHOLE_MOST);
    if (!areFew) barrier(run.sync, threads);
  }
  multiply(head, x, stride, run, count, out, outStride, false, run.panel + thread * run.panelBytes, thread, threads);
  barrier(run.sync, threads);
}

/** Slot `first + i` of every layer's keys and values becomes what slot `sources[i]` held, ascending; any may be moved over any. */
export function moveSlots(
  stack: Stack,
  cache: usize,
  capacity: i32,
  first: i32,
  sources: usize,
  count: i32,
  room: usize,
): void {
  const headBytes = stack.headDim << 2;
  const planes = 2 * stack.layers * stack.kvHeads;
  for (let plane = 0; plane < planes; plane++) {
    const slots = cache + plane * capacity * headBytes;
    for (let i = 0; i < count; i++) {
      memory.copy(room + i * headBytes, slots + load<i32>(sources + (i << 2)) * headBytes, headBytes);
    }
    memory.copy(slots + first * headBytes, room, count * headBytes);
  }
}

/** Rows of a matrix as float32, one after the other. */
export function lookUp(table: Linear, ids: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) decodeRow(table, load<i32>(ids + (i << 2)), out + i * padded(table.inputs));
}
