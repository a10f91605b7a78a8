/**
 * GistNet on the WASM kernels: the transformer over a block and what stands before it is one call into
 * `kernels/llama.ts`, pooling is summed here, and the MLP behind it multiplies all blocks of a call together.
 */
import { yieldToEvents } from '../../base/clock.ts';
import { K } from '../../core/tree/ids.ts';
import { KernelMemory } from '../backend/kernel-memory.ts';
import type { ThreadPool } from '../backend/thread-pool.ts';
import type { BaseConfig } from '../base-model/config.ts';
import {
  allocateRoom,
  cacheBytesOf,
  KernelStack,
  PANEL_ROWS,
  putRows,
  type RunFields,
  scoreBytesOf,
  takeRows,
} from '../base-model/kernel-stack.ts';
import { KernelWeights, paddedColumns } from '../base-model/kernel-weights.ts';
import { type Rotations, rotationsOf } from '../base-model/rope.ts';
import type { GistNetConfig } from '../model-folder/manifest.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import type { GistNet, GistWork } from '../ports.ts';
import { checkBlocks, sharesOf } from './gist-input.ts';

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Blocks that go through the MLP together, and after which others get a turn. */
const CHUNK_BLOCKS = 16;

/** A linear map in the memory. */
interface LinearMap {
  /** Its descriptor. */
  readonly at: number;
  readonly inputs: number;
  readonly outputs: number;
}

interface GistWeights {
  readonly stack: KernelStack;
  /** `[Q, d]` learned queries with the factor 1 / sqrt(d); null where pooling is the mean. */
  readonly queries: Float32Array | null;
  readonly up: LinearMap;
  /** Carries the residual's scale. */
  readonly down: LinearMap;
  /** Of the children's mean; null where the residual is added to the mean itself. */
  readonly map: LinearMap | null;
  /** `[vocabulary]` what each token weighs in the mean; null where all children weigh the same. */
  readonly tokenWeights: Float32Array | null;
}

export class KernelGistNet implements GistNet {
  readonly version: number;
  readonly contextChildren: number;
  readonly work: GistWork;
  private readonly memory: KernelMemory;
  private readonly lod1: GistWeights;
  private readonly lod2: GistWeights;
  private readonly room: RunFields;
  /** `[CHUNK_BLOCKS, …]`: what goes into the MLP, what is between its two maps, and what comes out of it. */
  private readonly mlp: { readonly input: number; readonly inner: number; readonly output: number };
  private readonly panel: number;
  /** Of a block with all of its context. */
  private readonly rotations: Rotations;

  /** @throws {WeightError} if the file does not fit the configuration; nothing is left behind. */
  constructor(
    private readonly base: BaseConfig,
    private readonly config: GistNetConfig,
    private readonly file: TensorFile,
    module: WebAssembly.Module,
    pool: ThreadPool | null = null,
    share?: number,
  ) {
    this.version = config.version;
    this.contextChildren = config.contextChildren;
    this.memory = new KernelMemory(module, pool);
    const { memory } = this;
    const rows = config.contextChildren + K;
    const positions = Float64Array.from({ length: rows }, (_, row) => row);
    this.rotations = rotationsOf(positions, base.headDim, base.ropeTheta);
    const lod2Blocks = config.lod2Blocks ?? config.blocks;
    try {
      this.lod1 = this.loadSet('lod1', config.blocks, base.vocabularySize, share);
      this.lod2 = this.loadSet('lod2', lod2Blocks, null, share);
      this.room = {
        ...allocateRoom(memory, base, rows),
        capacity: rows,
        cache: memory.allocate(cacheBytesOf(base, Math.max(config.blocks, lod2Blocks), rows)),
        scores: memory.allocate(scoreBytesOf(rows) * memory.threads),
        scoreBytes: scoreBytesOf(rows),
        wanted: K,
        seesAll: config.attention === 'causal' ? 0 : 1,
      };
      const { up, down } = this.lod1;
      const [widest, inner] = [Math.max(up.inputs, down.outputs), up.outputs];
      const chunk = (columns: number): number =>
        memory.allocate(CHUNK_BLOCKS * paddedColumns(columns) * FLOAT_BYTES);
      this.mlp = { input: chunk(widest), inner: chunk(inner), output: chunk(down.outputs) };
      this.panel = memory.allocate(PANEL_ROWS * paddedColumns(Math.max(widest, inner)) * FLOAT_BYTES);
      this.work = this.workOf(this.lod1);
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  async compress(
    lod: number,
    children: Float32Array,
    contextCounts: ArrayLike<number>,
    tokens?: ArrayLike<number>,
  ): Promise<Float32Array> {
    const weights = lod === 1 ? this.lod1 : this.lod2;
    const blocks = contextCounts.length;
    const { hiddenSize } = this.base;
    checkBlocks(children, contextCounts, this.contextChildren, hiddenSize);
    const shares = weights.tokenWeights === null ? null : sharesOf(weights.tokenWeights, blocks, tokens);
    const result = new Float32Array(blocks * hiddenSize);
    const blockValues = (this.contextChildren + K) * hiddenSize;
    for (let start = 0; start < blocks; start += CHUNK_BLOCKS) {
      if (start > 0) await yieldToEvents();
      const count = Math.min(CHUNK_BLOCKS, blocks - start);
      const pooled = new Float32Array(count * weights.up.inputs);
      const means = new Float32Array(count * hiddenSize);
      for (let i = 0; i < count; i++) {
        const block = start + i;
        const values = children.subarray(block * blockValues, (block + 1) * blockValues);
        const skipped = this.contextChildren - contextCounts[block]!;
        const normed = this.runStack(weights, values.subarray(skipped * hiddenSize), skipped);
        this.pool(weights.queries, normed, pooled.subarray(i * weights.up.inputs));
        const own = values.subarray(this.contextChildren * hiddenSize);
        addMean(own, hiddenSize, shares?.subarray(block * K, (block + 1) * K) ?? null, means, i * hiddenSize);
      }
      result.set(this.finish(weights, pooled, means, count), start * hiddenSize);
    }
    return result;
  }

  dispose(): void {
    this.memory.dispose();
  }

  /**
   * All layers over one block and the context before it that is real.
   *
   * @param rows - `[real context + K, d]`.
   * @param skipped - how many context rows are not real: positions are those of a whole context.
   * @returns `[K, d]` the children's rows, normed.
   */
  private runStack({ stack }: GistWeights, rows: Float32Array, skipped: number): Float32Array {
    const { hiddenSize, headDim } = this.base;
    const { cos, sin } = this.rotations;
    const count = this.contextChildren + K - skipped;
    const from = (skipped * headDim) / 2;
    stack.runLayers({ ...this.room, rows: count }, rows, {
      cos: cos.subarray(from),
      sin: sin.subarray(from),
    });
    const normed = new Float32Array(K * hiddenSize);
    const stride = paddedColumns(hiddenSize);
    const first = this.room.normed + (count - K) * stride * FLOAT_BYTES;
    takeRows(this.memory.floats(first, K * stride), hiddenSize, normed, 0);
    return normed;
  }

  /** @param out - `[d]` the children's mean, or `[Q · d]` a mixture for each learned query. */
  private pool(queries: Float32Array | null, normed: Float32Array, out: Float32Array): void {
    const { hiddenSize } = this.base;
    if (queries === null) {
      addMean(normed, hiddenSize, null, out, 0);
      return;
    }
    for (let first = 0; first < queries.length; first += hiddenSize) {
      const query = queries.subarray(first, first + hiddenSize);
      addMean(normed, hiddenSize, attentionOver(normed, query), out, first);
    }
  }

  /** What the MLP makes of `count` blocks' pooled children, on top of their means. @returns `[count, d]` */
  private finish(
    { up, down, map }: GistWeights,
    pooled: Float32Array,
    means: Float32Array,
    count: number,
  ): Float32Array {
    const { memory, mlp } = this;
    const rows = (at: number, columns: number): Float32Array =>
      memory.floats(at, count * paddedColumns(columns));
    if (map === null) putRows(means, down.outputs, rows(mlp.output, down.outputs));
    else {
      putRows(means, map.inputs, rows(mlp.input, map.inputs));
      this.multiply(map, mlp.input, mlp.output, count, false);
    }
    putRows(pooled, up.inputs, rows(mlp.input, up.inputs));
    this.multiply(up, mlp.input, mlp.inner, count, false);
    const inner = rows(mlp.inner, up.outputs);
    for (let i = 0; i < inner.length; i++) inner[i]! /= 1 + Math.exp(-inner[i]!);
    this.multiply(down, mlp.inner, mlp.output, count, true);
    const result = new Float32Array(count * down.outputs);
    takeRows(rows(mlp.output, down.outputs), down.outputs, result, 0);
    return result;
  }

  private multiply(map: LinearMap, x: number, out: number, rows: number, isSum: boolean): void {
    const [xStride, outStride] = [map.inputs, map.outputs].map((size) => paddedColumns(size) * FLOAT_BYTES);
    const { rounded } = this.room;
    this.memory.kernels.product(
      ...[map.at, x, xStride!, rounded, rows, out, outStride!],
      ...[isSum, this.panel, 0, map.outputs],
    );
  }

  /** @param tokens - of the vocabulary, where the children are tokens. */
  private loadSet(set: string, blocks: number, tokens: number | null, share?: number): GistWeights {
    const { memory, file, base } = this;
    const { hiddenSize } = base;
    const { pooling, queries, residual = 'mean', mlpWidth = 4 * hiddenSize } = this.config;
    const isAffine = residual === 'affine';
    const weights = new KernelWeights(memory, file);
    const layers = Array.from({ length: blocks }, (_, i) => ({
      prefix: `${set}.blocks.${i}`,
      hasRope: true,
    }));
    const linear = (name: string, inputs: number, outputs: number, scale = 1): LinearMap => {
      const scaled = (values: Float32Array): Float32Array => values.map((value) => value * scale);
      const values = scaled(file.floats(`${set}.${name}.weight`, [outputs, inputs]));
      const bias = memory.allocate(paddedColumns(outputs) * FLOAT_BYTES);
      memory.floats(bias, outputs).set(scaled(file.floats(`${set}.${name}.bias`, [outputs])));
      return { at: weights.store({ format: 'f32', values }, outputs, inputs, bias), inputs, outputs };
    };
    const pooled = pooling === 'queries' ? queries * hiddenSize : hiddenSize;
    const scale = file.floats(`${set}.scale`, [1])[0]!;
    return {
      stack: new KernelStack(memory, weights, base, layers, `${set}.norm.weight`, share),
      queries:
        pooling === 'queries'
          ? file.floats(`${set}.queries`, [queries, hiddenSize]).map((value) => value / Math.sqrt(hiddenSize))
          : null,
      up: linear('mlp.up', pooled, mlpWidth),
      down: linear('mlp.down', mlpWidth, hiddenSize, scale),
      map: isAffine ? linear('map', hiddenSize, hiddenSize) : null,
      tokenWeights: isAffine && tokens !== null ? file.floats(`${set}.token_weights`, [tokens]) : null,
    };
  }

  /** Of a block at LOD1 with all of its context. */
  private workOf({ stack, up, down, map }: GistWeights): GistWork {
    const { hiddenSize, heads, kvHeads, headDim } = this.base;
    const { blocks } = this.config;
    const rows = this.contextChildren + K;
    const keysAndValues = hiddenSize * 2 * kvHeads * headDim;
    // The last layer goes on with the children's rows alone.
    const all = Math.max(0, blocks - 1) * rows * (stack.layerMultiplications + 2 * rows * heads * headDim);
    const last = K * (stack.layerMultiplications - keysAndValues + 2 * rows * heads * headDim);
    const layers = blocks === 0 ? 0 : all + last + rows * keysAndValues;
    const mlp = [up, down, map].reduce(
      (sum, part) => sum + (part === null ? 0 : part.inputs * part.outputs),
      0,
    );
    const pooling = 2 * K * up.inputs;
    return {
      blockMultiplications: layers + mlp + pooling,
      blockBytes: FLOAT_BYTES * (rows + 1) * hiddenSize,
    };
  }
}

/** `out[at ..] +=` the rows' mean, each row with its share of it; alike where `shares` is null. */
function addMean(
  rows: Float32Array,
  columns: number,
  shares: Float32Array | null,
  out: Float32Array,
  at: number,
): void {
  for (let row = 0; row < K; row++) {
    const share = shares === null ? 1 / K : shares[row]!;
    for (let i = 0; i < columns; i++) out[at + i]! += share * rows[row * columns + i]!;
  }
}

/** `[K]` a softmax over how well the rows fit the query. */
function attentionOver(rows: Float32Array, query: Float32Array): Float32Array {
  const fits = new Float32Array(K);
  for (let row = 0; row < K; row++) {
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += rows[row * query.length + i]! * query[i]!;
    fits[row] = sum;
  }
  const most = fits.reduce((greatest, fit) => Math.max(greatest, fit), -Infinity);
  const weights = fits.map((fit) => Math.exp(fit - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
