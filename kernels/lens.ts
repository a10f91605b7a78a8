/**
 * LensNet over the slots of a working context in one call: the tail becomes a few queries, they read all slots, every
 * slot asks them and is scored. Attention between the many slots and the few queries is folded into the few's side
 * (`src/nn/lens-net/variants/folded-attention.ts` has the algebra), and what neighbouring slots share is multiplied once.
 */
import { attend, Attention } from './attention';
import { isGrouped, Linear, mostOf, product, round, Rounded } from './products';
import { rmsNorm, softmaxParts, swiGlu } from './steps';
import { barrier, shareStart } from './threads';
import { sumOf } from './vectors';

/** Attention and SwiGLU with a norm before each; over itself, both norms before attention are one. */
@unmanaged
export class LensBlock {
  normQ: usize;
  normKv: usize;
  normMlp: usize;
  /** Carries the factor 1 / sqrt(headDim). Weights of attention are float32. */
  q: Linear;
  k: Linear;
  v: Linear;
  output: Linear;
  gate: Linear;
  up: Linear;
  down: Linear;
}

@unmanaged
export class Lens {
  width: i32;
  heads: i32;
  tailQueries: i32;
  epsilon: f32;
  /** A slot's own vector, and what it shares with its neighbours, to the width; only the second has a bias. */
  own: Linear;
  shared: Linear;
  tailIn: Linear;
  /** `[tailQueries, width]`, with the factor 1 / sqrt(width). */
  queries: usize;
  tailBlock: LensBlock;
  read: LensBlock;
  score: LensBlock;
  /** `[width]` what a slot may ask in place of a query. */
  nullSlot: usize;
  matchQ: Linear;
  matchK: Linear;
  matchScale: f32;
  /** `[width]` the norm's weight times the head's. */
  head: usize;
  headBias: f32;
  /** Made anew in each run: `[heads · asked, width]` with a bias, `[width, heads · asked]`, `[tailQueries, width]`. */
  toLogits: Linear;
  fromShares: Linear;
  toMatches: Linear;
}

/** Room of one thread, for `LENS_ROWS` rows, or as many as the tail has or queries are asked if those are more. */
@unmanaged
export class LensSpace {
  normed: usize;
  q: usize;
  k: usize;
  v: usize;
  mixed: usize;
  gate: usize;
  up: usize;
  /** Slots to be scored, side by side. */
  picked: usize;
  rounded: Rounded;
  panel: usize;
  attention: Attention;
  /** Three rows of as many float32 as the tail has, or the run has slots. */
  scores: usize;
}

@unmanaged
export class LensRun {
  slots: i32;
  tailTokens: i32;
  sharedRows: i32;
  /** `[slots, inputs of own]`; rows here and below are padded to whole vectors. */
  embeddings: usize;
  /** `[sharedRows, inputs of shared]`, and `[slots]` which of them a slot has. */
  shared: usize;
  sharedOf: usize;
  /** `[sharedRows, width]` */
  sharedProducts: usize;
  /** `[tailTokens, inputs of tailIn]`, and what is added to each for its place, `[tailTokens, width]`. */
  tail: usize;
  places: usize;
  /** `[tailTokens, width]` */
  encoded: usize;
  /**
   * What the tail asks, whatever the slots are: `[tailQueries, width]`, and folded for each head,
   * `[heads · tailQueries, width]`. Not 0 in `isTailRead` where both were made before, of the same tail.
   */
  tailAsks: usize;
  asking: usize;
  isTailRead: i32;
  /** `[1 + tailQueries, width]`: the null slot and the queries, with what these read. */
  asked: usize;
  /** As `asking`. */
  answers: usize;
  /** `[slots, width]` twice. */
  x: usize;
  normed: usize;
  /** `[scored]` the slots that are scored, of those that are read; and their scores before their tanh. */
  scored: i32;
  scoredSlots: usize;
  out: usize;
  /** The first that no thread has taken yet, 0 before a run. */
  nextSlot: i32;
  /** `[threads]` of pointers. */
  spaces: usize;
  /** A `Sync`, for `barrier`. */
  sync: usize;
}

/** Slots that go through all steps together, so that what they leave between two steps stays near the processor. */
const LENS_ROWS = 48;
/** Slots that a thread takes at a time where it depends on the others' work how many it gets: few leave nobody waiting. */
const SLOTS_TAKEN = 24;

// @ts-ignore: decorator
@inline
function padded(columns: i32): i32 {
  return ((columns + 3) & ~3) << 2;
}

/** @param thread - of `threads`, which all call this with the same run. */
export function runLens(lens: Lens, run: LensRun, thread: i32, threads: i32): void {
  const space = load<LensSpace>(run.spaces + (thread << 2));
  const stride = padded(lens.width);
  const firstShared = shareStart(thread, threads, run.sharedRows, 1);
  const sharedCount = shareStart(thread + 1, threads, run.sharedRows, 1) - firstShared;
  for (let done = 0; done < sharedCount; done += LENS_ROWS) {
    const row = firstShared + done;
    const rows = min(LENS_ROWS, sharedCount - done);
    const source = run.shared + row * padded(lens.shared.inputs);
    multiply(lens.shared, source, padded(lens.shared.inputs), rows, run.sharedProducts + row * stride, stride, false, space);
  }
  barrier(run.sync, threads);

  // One thread reads the tail, and the others begin with the slots: whoever is free takes the next few.
  if (thread == 0 && run.isTailRead == 0) readTail(lens, run, space);
  const next = changetype<usize>(run) + offsetof<LensRun>('nextSlot');
  for (;;) {
    const slot = atomic.add<i32>(next, SLOTS_TAKEN);
    if (slot >= run.slots) break;
    const rows = min(SLOTS_TAKEN, run.slots - slot);
    const x = run.x + slot * stride;
    const ownStride = padded(lens.own.inputs);
    multiply(lens.own, run.embeddings + slot * ownStride, ownStride, rows, x, stride, false, space);
    for (let row = 0; row < rows; row++) {
      const shared = load<i32>(run.sharedOf + ((slot + row) << 2));
      add(x + row * stride, run.sharedProducts + shared * stride, stride);
    }
    rmsNorm(x, stride, lens.read.normKv, run.normed + slot * stride, stride, 0, rows, lens.width, lens.epsilon);
  }
  barrier(run.sync, threads);

  const asking = lens.heads * lens.tailQueries;
  const shape = space.attention;
  see(shape, 1, lens.width, stride, run.normed, run.normed, run.asking, run.answers, run.slots);
  attend(shape, shareStart(thread, threads, asking, 3), shareStart(thread + 1, threads, asking, 3), 0, 1, space.scores);
  barrier(run.sync, threads);

  if (thread == 0) prepareQuestions(lens, run, space);
  barrier(run.sync, threads);
  const endScored = shareStart(thread + 1, threads, run.scored, 1);
  for (let at = shareStart(thread, threads, run.scored, 1); at < endScored; at += LENS_ROWS) {
    scoreSlots(lens, run, at, min(LENS_ROWS, endScored - at), space);
  }
  barrier(run.sync, threads);
}

/** The tail's tokens, encoded, become queries; and what their heads ask of a slot is folded. */
function readTail(lens: Lens, run: LensRun, space: LensSpace): void {
  const width = lens.width;
  const stride = padded(width);
  const rows = run.tailTokens;
  const block = lens.tailBlock;
  const x = run.encoded;
  multiply(lens.tailIn, run.tail, padded(lens.tailIn.inputs), rows, x, stride, false, space);
  add(x, run.places, rows * stride);
  rmsNorm(x, stride, block.normQ, space.normed, stride, 0, rows, width, lens.epsilon);
  multiply(block.q, space.normed, stride, rows, space.q, stride, false, space);
  multiply(block.k, space.normed, stride, rows, space.k, stride, false, space);
  multiply(block.v, space.normed, stride, rows, space.v, stride, false, space);
  const shape = space.attention;
  see(shape, lens.heads, width / lens.heads, stride, space.k, space.v, space.q, space.mixed, rows);
  attend(shape, 0, rows, 0, lens.heads, space.scores);
  multiply(block.output, space.mixed, stride, rows, x, stride, true, space);
  feedForward(block, x, stride, rows, lens, space);

  const queries = run.tailAsks;
  see(shape, 1, width, stride, x, x, lens.queries, queries, rows);
  attend(shape, 0, lens.tailQueries, 0, 1, space.scores);

  const read = lens.read;
  const count = lens.tailQueries;
  rmsNorm(queries, stride, read.normQ, space.normed, stride, 0, count, width, lens.epsilon);
  multiply(read.q, space.normed, stride, count, space.q, stride, false, space);
  const headDim = width / lens.heads;
  for (let head = 0; head < lens.heads; head++) {
    const keys = read.k.weight + head * headDim * read.k.rowBytes;
    for (let query = 0; query < count; query++) {
      const coefficients = space.q + query * stride + ((head * headDim) << 2);
      combine(coefficients, headDim, keys, read.k.rowBytes, stride, run.asking + (head * count + query) * stride);
    }
  }
}

/** What the queries read becomes theirs; then all that a slot is multiplied by to ask them. */
function prepareQuestions(lens: Lens, run: LensRun, space: LensSpace): void {
  const width = lens.width;
  const stride = padded(width);
  const count = lens.tailQueries;
  const headDim = width / lens.heads;
  const queries = run.asked + stride;
  memory.copy(queries, run.tailAsks, count * stride);
  const read = lens.read;
  for (let head = 0; head < lens.heads; head++) {
    const answers = run.answers + head * count * stride;
    // A query's shares sum to 1, so that a value's bias comes through whole.
    product(read.v, answers, stride, space.rounded, count, space.mixed, stride, false, space.panel, head * headDim, (head + 1) * headDim);
  }
  multiply(read.output, space.mixed, stride, count, queries, stride, true, space);
  feedForward(read, queries, stride, count, lens, space);

  multiply(lens.matchQ, queries, stride, count, lens.toMatches.weight, stride, false, space);
  for (let query = 0; query < count; query++) toUnit(lens.toMatches.weight + query * stride, stride);

  memory.copy(run.asked, lens.nullSlot, stride);
  const score = lens.score;
  const asked = count + 1;
  rmsNorm(run.asked, stride, score.normKv, space.normed, stride, 0, asked, width, lens.epsilon);
  multiply(score.k, space.normed, stride, asked, space.k, stride, false, space);
  multiply(score.v, space.normed, stride, asked, space.v, stride, false, space);
  for (let head = 0; head < lens.heads; head++) {
    const part = (head * headDim) << 2;
    for (let i = 0; i < asked; i++) {
      const column = head * asked + i;
      const key = space.k + i * stride + part;
      const value = space.v + i * stride + part;
      const weights = score.q.weight + head * headDim * score.q.rowBytes;
      combine(key, headDim, weights, score.q.rowBytes, stride, lens.toLogits.weight + column * stride);
      store<f32>(lens.toLogits.bias + (column << 2), dot(key, score.q.bias + part, headDim << 2));
      for (let output = 0; output < width; output++) {
        const outputs = score.output.weight + output * score.output.rowBytes + part;
        const at = lens.fromShares.weight + output * lens.fromShares.rowBytes + (column << 2);
        store<f32>(at, dot(value, outputs, headDim << 2));
      }
    }
  }
}

/** @param first - of the slots that are scored. */
function scoreSlots(lens: Lens, run: LensRun, first: i32, rows: i32, space: LensSpace): void {
  const width = lens.width;
  const stride = padded(width);
  const x = space.picked;
  for (let row = 0; row < rows; row++) {
    const slot = load<i32>(run.scoredSlots + ((first + row) << 2));
    memory.copy(x + row * stride, run.x + slot * stride, stride);
  }
  const logitStride = padded(lens.toLogits.outputs);
  rmsNorm(x, stride, lens.score.normQ, space.normed, stride, 0, rows, width, lens.epsilon);
  multiply(lens.toLogits, space.normed, stride, rows, space.q, logitStride, false, space);
  softmaxParts(space.q, logitStride, rows, lens.heads, lens.tailQueries + 1);
  multiply(lens.fromShares, space.q, logitStride, rows, x, stride, true, space);
  feedForward(lens.score, x, stride, rows, lens, space);
  multiply(lens.matchK, x, stride, rows, space.k, stride, false, space);
  const matchStride = padded(lens.tailQueries);
  multiply(lens.toMatches, space.k, stride, rows, space.q, matchStride, false, space);
  for (let row = 0; row < rows; row++) {
    let most = load<f32>(space.q + row * matchStride);
    for (let query = 1; query < lens.tailQueries; query++) {
      most = max<f32>(most, load<f32>(space.q + row * matchStride + (query << 2)));
    }
    const key = space.k + row * stride;
    const match = most * unitFactor(key, stride);
    const own = x + row * stride;
    const factor = <f32>1 / sqrt<f32>(dot(own, own, stride) / <f32>width + lens.epsilon);
    const score = lens.matchScale * match + factor * dot(own, lens.head, stride) + lens.headBias;
    store<f32>(run.out + ((first + row) << 2), score);
  }
}

/** `x ← x + mlp(norm(x))`, row by row. */
function feedForward(block: LensBlock, x: usize, stride: i32, rows: i32, lens: Lens, space: LensSpace): void {
  const innerStride = padded(block.gate.outputs);
  rmsNorm(x, stride, block.normMlp, space.normed, stride, 0, rows, lens.width, lens.epsilon);
  if (isGrouped(block.gate)) round(space.normed, stride, lens.width, space.rounded, 0, rows, mostOf(block.gate));
  multiplyRounded(block.gate, space.normed, stride, rows, space.gate, innerStride, false, space);
  multiplyRounded(block.up, space.normed, stride, rows, space.up, innerStride, false, space);
  swiGlu(space.gate, space.up, innerStride, 0, rows, block.gate.outputs);
  multiply(block.down, space.gate, innerStride, rows, x, stride, true, space);
}

/** All outputs of a product. */
function multiply(
  linear: Linear,
  x: usize,
  xStride: i32,
  rows: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
  space: LensSpace,
): void {
  if (isGrouped(linear)) round(x, xStride, linear.inputs, space.rounded, 0, rows, mostOf(linear));
  multiplyRounded(linear, x, xStride, rows, out, outStride, isSum, space);
}

/** The same, where x was rounded before. */
// @ts-ignore: decorator
@inline
function multiplyRounded(
  linear: Linear,
  x: usize,
  xStride: i32,
  rows: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
  space: LensSpace,
): void {
  product(linear, x, xStride, space.rounded, rows, out, outStride, isSum, space.panel, 0, linear.outputs);
}

/** Rows of queries see all keys; heads lie side by side in rows of one stride. */
function see(
  shape: Attention,
  heads: i32,
  headDim: i32,
  stride: i32,
  keys: usize,
  values: usize,
  queries: usize,
  out: usize,
  keyCount: i32,
): void {
  shape.heads = heads;
  shape.kvHeads = heads;
  shape.headDim = headDim;
  shape.keyStride = stride;
  shape.keyHeadStride = headDim << 2;
  shape.queryStride = stride;
  shape.outStride = stride;
  shape.keys = keys;
  shape.values = values;
  shape.queries = queries;
  shape.out = out;
  shape.firstKey = 0;
  shape.keyCount = keyCount;
  shape.causalOffset = keyCount;
}

/** Added to squared lengths. */
const UNIT_EPSILON: f32 = 1e-6;

function unitFactor(x: usize, bytes: i32): f32 {
  return <f32>1 / sqrt<f32>(dot(x, x, bytes) + UNIT_EPSILON);
}

function toUnit(x: usize, bytes: i32): void {
  const factor = f32x4.splat(unitFactor(x, bytes));
  for (let at = 0; at < bytes; at += 16) v128.store(x + at, f32x4.mul(v128.load(x + at), factor));
}

function add(x: usize, y: usize, bytes: i32): void {
  for (let at = 0; at < bytes; at += 16) {
    v128.store(x + at, f32x4.add(v128.load(x + at), v128.load(y + at)));
  }
}

function dot(x: usize, y: usize, bytes: i32): f32 {
  let sum = f32x4.splat(0);
  for (let at = 0; at < bytes; at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x + at), v128.load(y + at)));
  }
  return sumOf(sum);
}

/** `out ← Σ coefficient · row`. */
function combine(coefficients: usize, count: i32, rows: usize, rowBytes: i32, bytes: i32, out: usize): void {
  for (let at = 0; at < bytes; at += 16) {
    let sum = f32x4.splat(0);
    for (let i = 0; i < count; i++) {
      const coefficient = v128.load_splat<f32>(coefficients + (i << 2));
      sum = f32x4.add(sum, f32x4.mul(coefficient, v128.load(rows + i * rowBytes + at)));
    }
    v128.store(out + at, sum);
  }
}
