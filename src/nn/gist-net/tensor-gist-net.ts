/** GistNet as TensorFlow.js operations: on WebGPU, and where WASM has no SIMD. */
import * as tf from '@tensorflow/tfjs';
import { activeKernels } from '../backend/active-kernels.ts';
import { K } from '../../core/tree/ids.ts';
import type { BaseConfig } from '../base-model/config.ts';
import type { Kernels, RopeTables } from '../backend/kernels.ts';
import type { GistNetConfig } from '../model-folder/manifest.ts';
import type { GistNet } from '../ports.ts';
import { checkBlocks, sharesOf } from './gist-input.ts';
import { createRopeTables } from '../base-model/rope-tables.ts';
import type { SafetensorsFile } from '../model-folder/safetensors.ts';
import {
  finishLayer,
  loadTransformerLayer,
  projectQkv,
  qkvColumns,
  type TransformerLayer,
} from '../base-model/transformer-layer.ts';
import { applyLinear, type Linear, WeightLoader } from '../model-folder/weights.ts';

/** Blocks run at once: bounds the memory of a long ingest. */
const CHUNK_BLOCKS = 16;

interface GistWeights {
  readonly blocks: readonly TransformerLayer[];
  readonly norm: tf.Tensor1D;
  /** `[d, Q]` learned queries, transposed and scaled by 1 / sqrt(d); null where pooling is the mean. */
  readonly queries: tf.Tensor2D | null;
  readonly up: Linear;
  /** Carries the residual's scale. */
  readonly down: Linear;
  /** Of the children's mean; null where the residual is added to the mean itself. */
  readonly map: Linear | null;
  /** `[vocabulary]` what each token weighs in the mean, on the CPU; null where all children weigh the same. */
  readonly tokenWeights: Float32Array | null;
}

export class TensorGistNet implements GistNet {
  readonly version: number;
  readonly contextChildren: number;
  private readonly kernels: Kernels = activeKernels();
  private readonly loader: WeightLoader;
  private readonly lod1: GistWeights;
  private readonly lod2: GistWeights;

  /** @throws {WeightError} if the file does not fit the configuration. */
  constructor(
    private readonly base: BaseConfig,
    private readonly config: GistNetConfig,
    file: SafetensorsFile,
  ) {
    this.version = config.version;
    this.contextChildren = config.contextChildren;
    this.loader = new WeightLoader(file);
    try {
      this.lod1 = this.loadSet('lod1', config.blocks, base.vocabularySize);
      this.lod2 = this.loadSet('lod2', config.lod2Blocks ?? config.blocks, null);
    } catch (error) {
      this.loader.dispose();
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
    const size = this.base.hiddenSize;
    const blockValues = (this.contextChildren + K) * size;
    checkBlocks(children, contextCounts, this.contextChildren, size);
    const shares = weights.tokenWeights === null ? null : sharesOf(weights.tokenWeights, blocks, tokens);
    const result = new Float32Array(blocks * size);
    for (let start = 0; start < blocks; start += CHUNK_BLOCKS) {
      const end = Math.min(blocks, start + CHUNK_BLOCKS);
      const firstKeys = Int32Array.from(
        { length: end - start },
        (_, i) => this.contextChildren - contextCounts[start + i]!,
      );
      const rows = children.subarray(start * blockValues, end * blockValues);
      const own = shares?.subarray(start * K, end * K) ?? null;
      const gists = tf.tidy(() => this.run(weights, rows, firstKeys, own));
      try {
        result.set(await gists.data<'float32'>(), start * size);
      } finally {
        gists.dispose();
      }
    }
    return result;
  }

  dispose(): void {
    this.loader.dispose();
  }

  /** `[B · (C + K), d]`, and `[B · K]` each child's share of the mean (null: alike) → `[B, d]`. */
  private run(
    weights: GistWeights,
    values: Float32Array,
    firstKeys: Int32Array,
    shares: Float32Array | null,
  ): tf.Tensor2D {
    const batch = firstKeys.length;
    const length = this.contextChildren + K;
    const { hiddenSize, headDim, ropeTheta, epsilon } = this.base;
    const positions = Float64Array.from({ length: batch * length }, (_, row) => row % length);
    const rope = createRopeTables(positions, headDim, ropeTheta);
    const firstKey = tf.tensor1d(firstKeys, 'int32');
    const input = tf.tensor2d(values, [batch * length, hiddenSize]);
    let x = input;
    weights.blocks.forEach((block, i) => {
      const isLast = i === weights.blocks.length - 1;
      x = this.runBlock(block, x, rope, firstKey, isLast);
    });
    if (weights.blocks.length === 0) x = this.childRows(x, batch);
    const hidden = this.kernels.rmsNorm(x, weights.norm, epsilon);
    const children = tf.reshape<tf.Rank.R3>(this.childRows(input, batch), [batch, K, hiddenSize]);
    const mean =
      shares === null
        ? tf.mean<tf.Tensor2D>(children, 1)
        : tf.reshape<tf.Rank.R2>(tf.matMul(tf.tensor3d(shares, [batch, 1, K]), children), [
            batch,
            hiddenSize,
          ]);
    const start = weights.map === null ? mean : applyLinear(mean, weights.map);
    const up = applyLinear(this.pool(weights, hidden, batch), weights.up);
    return tf.add(start, applyLinear(tf.mul<tf.Tensor2D>(up, tf.sigmoid(up)), weights.down));
  }

  /** One block; the last one goes on with the children's rows only, because nothing reads the others. */
  private runBlock(
    block: TransformerLayer,
    x: tf.Tensor2D,
    rope: RopeTables,
    firstKey: tf.Tensor1D,
    onlyChildren: boolean,
  ): tf.Tensor2D {
    const batch = firstKey.shape[0];
    const length = this.contextChildren + K;
    const { heads, kvHeads, headDim, epsilon } = this.base;
    const columns = qkvColumns(this.base);
    const qkv = projectQkv(this.kernels, block, x, epsilon);
    const q = this.kernels.takeHeads(qkv, columns.q, rope);
    const mixed = this.kernels.attention(
      onlyChildren ? this.childRows(q, batch) : q,
      this.kernels.takeHeads(qkv, columns.k, rope),
      this.kernels.takeHeads(qkv, columns.v, null),
      {
        batch,
        queriesPerBatch: onlyChildren ? K : length,
        keyRowsPerBatch: length,
        keyCount: length,
        causalOffset: this.config.attention === 'causal' ? (onlyChildren ? this.contextChildren : 0) : null,
        firstKey,
        heads,
        kvHeads,
        headDim,
      },
    );
    return finishLayer(this.kernels, block, onlyChildren ? this.childRows(x, batch) : x, mixed, epsilon);
  }

  /** `[B · (C + K), n]` → the children's rows `[B · K, n]`. */
  private childRows(x: tf.Tensor2D, batch: number): tf.Tensor2D {
    const columns = x.shape[1];
    const blocks = tf.reshape(x, [batch, this.contextChildren + K, columns]);
    return tf.reshape(tf.slice(blocks, [0, this.contextChildren, 0], [batch, K, columns]), [
      batch * K,
      columns,
    ]);
  }

  /** Normed children `[B · K, d]` → `[B, d]` (mean) or `[B, Q · d]` (learned queries). */
  private pool(weights: GistWeights, hidden: tf.Tensor2D, batch: number): tf.Tensor2D {
    const size = this.base.hiddenSize;
    const blocks = tf.reshape<tf.Rank.R3>(hidden, [batch, K, size]);
    if (weights.queries === null) return tf.mean(blocks, 1);
    const queries = weights.queries.shape[1];
    const scores = tf.reshape<tf.Rank.R3>(tf.matMul(hidden, weights.queries), [batch, K, queries]);
    const shares = tf.softmax(tf.transpose<tf.Tensor3D>(scores, [0, 2, 1]));
    return tf.reshape(tf.matMul(shares, blocks), [batch, queries * size]);
  }

  /** @param tokens - of the vocabulary, where the children are tokens. */
  private loadSet(set: string, blocks: number, tokens: number | null): GistWeights {
    const { hiddenSize } = this.base;
    const { pooling, queries, residual = 'mean', mlpWidth = 4 * hiddenSize } = this.config;
    const isAffine = residual === 'affine';
    const scale = this.loader.file.floats(`${set}.scale`, [1])[0]!;
    const pooled = pooling === 'queries' ? queries * hiddenSize : hiddenSize;
    return {
      blocks: Array.from({ length: blocks }, (_, i) =>
        loadTransformerLayer(this.loader, `${set}.blocks.${i}`, this.base),
      ),
      norm: this.loader.vector(`${set}.norm.weight`, hiddenSize),
      queries:
        pooling === 'queries'
          ? this.loader.transposed(`${set}.queries`, queries, hiddenSize, 1 / Math.sqrt(hiddenSize))
          : null,
      up: this.loader.linear(pooled, [{ name: `${set}.mlp.up`, outputs: mlpWidth }], true),
      down: this.loader.linear(mlpWidth, [{ name: `${set}.mlp.down`, outputs: hiddenSize, scale }], true),
      map: isAffine
        ? this.loader.linear(hiddenSize, [{ name: `${set}.map`, outputs: hiddenSize }], true)
        : null,
      tokenWeights:
        isAffine && tokens !== null ? this.loader.file.floats(`${set}.token_weights`, [tokens]) : null,
    };
  }
}
