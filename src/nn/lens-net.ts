/** LensNet, variant `dual-cross-attention`: scores the slots of a working context (docs/models.md). Stateless. */
import * as tf from '@tensorflow/tfjs';
import { activeKernels } from './active-kernels.ts';
import { SLOT_FEATURES, type SlotView } from '../core/ports.ts';
import { ShapeError } from './errors.ts';
import type { Kernels } from './kernels.ts';
import type { ModelManifest } from './manifest.ts';
import type { LensNet } from './ports.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { applyLinear, type Linear, WeightLoader } from './weights.ts';

type LensNetConfig = Omit<ModelManifest['lensNet'], 'weights'>;

/** What one pass reads; the fields of a `SlotView` that matter. */
export type LensInput = Pick<
  SlotView,
  'slotCount' | 'embeddings' | 'blockVectors' | 'features' | 'tail' | 'tailCount'
>;

interface Attention {
  /** Carries the factor 1 / sqrt(headDim). */
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly output: Linear;
}

interface SwiGlu {
  readonly gateUp: Linear;
  readonly down: Linear;
}

interface CrossBlock {
  readonly normQ: tf.Tensor1D;
  readonly normKv: tf.Tensor1D;
  readonly normMlp: tf.Tensor1D;
  readonly attention: Attention;
  readonly mlp: SwiGlu;
}

export class DualCrossLensNet implements LensNet {
  readonly id = 'lensnet';
  readonly version: number;
  readonly tailTokens: number;
  private readonly kernels: Kernels = activeKernels();
  private readonly loader: WeightLoader;
  private readonly weights: ReturnType<DualCrossLensNet['load']>;

  /** @throws {WeightError} if the file does not fit the configuration. */
  constructor(
    private readonly hiddenSize: number,
    private readonly epsilon: number,
    private readonly config: LensNetConfig,
    file: SafetensorsFile,
  ) {
    this.version = config.version;
    this.tailTokens = config.tailTokens;
    this.loader = new WeightLoader(file);
    try {
      this.weights = this.load();
    } catch (error) {
      this.loader.dispose();
      throw error;
    }
  }

  async score(view: SlotView): Promise<Float32Array> {
    const logits = await this.logits(view);
    return logits.map(Math.tanh);
  }

  /**
   * The scores before their tanh.
   *
   * @returns `[N]`, the caller's. All zeros where there is no tail: nothing asks for detail yet.
   */
  async logits(input: LensInput): Promise<Float32Array> {
    const { slotCount, tailCount } = input;
    this.checkSizes(input);
    if (slotCount === 0 || tailCount === 0) return new Float32Array(slotCount);
    const logits = tf.tidy(() => this.run(this.joinSlots(input), this.lastTail(input)));
    try {
      return await logits.data<'float32'>();
    } finally {
      logits.dispose();
    }
  }

  dispose(): void {
    this.loader.dispose();
  }

  /** `[N, 2d + features]` and `[m, d]` → `[N]`. */
  private run(slots: tf.Tensor2D, tail: tf.Tensor2D): tf.Tensor1D {
    const { weights, kernels, epsilon } = this;
    let e = applyLinear(slots, weights.slotIn);
    let q = this.tailGists(tail);
    q = this.crossBlock(q, e, weights.read);
    e = this.crossBlock(e, tf.concat2d([weights.nullSlot, q], 0), weights.score);
    const matchQ = this.toUnit(applyLinear(q, weights.matchQ));
    const matchK = this.toUnit(applyLinear(e, weights.matchK));
    const match = tf.max<tf.Tensor1D>(tf.matMul(matchK, tf.transpose(matchQ)), 1);
    const head = applyLinear(kernels.rmsNorm(e, weights.headNorm, epsilon), weights.head);
    return tf.add(tf.mul(match, weights.matchScale), tf.reshape(head, [slots.shape[0]]));
  }

  /** Tail embeddings `[m, d]` → tail gists `[Q, w]`. */
  private tailGists(tail: tf.Tensor2D): tf.Tensor2D {
    const { weights, kernels, epsilon } = this;
    const { width, tailTokens } = this.config;
    const count = tail.shape[0];
    const places = tf.slice(weights.tailPositions, [tailTokens - count, 0], [count, width]);
    const t = tf.add<tf.Tensor2D>(applyLinear(tail, weights.tailIn), places);
    const normed = kernels.rmsNorm(t, weights.tailNorm, epsilon);
    const attended = tf.add<tf.Tensor2D>(t, this.attend(normed, normed, weights.tailAttention));
    const mlp = this.swiGlu(kernels.rmsNorm(attended, weights.tailPostNorm, epsilon), weights.tailMlp);
    const encoded = tf.add<tf.Tensor2D>(attended, mlp);
    const shares = tf.softmax(tf.matMul<tf.Tensor2D>(weights.tailQueries, tf.transpose(encoded)));
    return tf.matMul(shares, encoded);
  }

  private crossBlock(x: tf.Tensor2D, other: tf.Tensor2D, block: CrossBlock): tf.Tensor2D {
    const { kernels, epsilon } = this;
    const queries = kernels.rmsNorm(x, block.normQ, epsilon);
    const read = kernels.rmsNorm(other, block.normKv, epsilon);
    const attended = tf.add<tf.Tensor2D>(x, this.attend(queries, read, block.attention));
    return tf.add(attended, this.swiGlu(kernels.rmsNorm(attended, block.normMlp, epsilon), block.mlp));
  }

  private attend(x: tf.Tensor2D, other: tf.Tensor2D, attention: Attention): tf.Tensor2D {
    const { heads, width } = this.config;
    const mixed = this.kernels.attention(
      applyLinear(x, attention.q),
      applyLinear(other, attention.k),
      applyLinear(other, attention.v),
      {
        batch: 1,
        queriesPerBatch: x.shape[0],
        keyRowsPerBatch: other.shape[0],
        keyCount: other.shape[0],
        causalOffset: null,
        firstKey: null,
        heads,
        kvHeads: heads,
        headDim: width / heads,
      },
    );
    return applyLinear(mixed, attention.output);
  }

  private swiGlu(x: tf.Tensor2D, mlp: SwiGlu): tf.Tensor2D {
    return applyLinear(this.kernels.swiGlu(applyLinear(x, mlp.gateUp)), mlp.down);
  }

  /** Rows to length 1, with 1e-6 added to the squared norm: an RMSNorm in other units. */
  private toUnit(x: tf.Tensor2D): tf.Tensor2D {
    return this.kernels.rmsNorm(x, this.weights.unit, 1e-6 / this.config.width);
  }

  private joinSlots({ slotCount, embeddings, blockVectors, features }: LensInput): tf.Tensor2D {
    const size = this.hiddenSize;
    const columns = 2 * size + SLOT_FEATURES;
    const joined = new Float32Array(slotCount * columns);
    for (let slot = 0; slot < slotCount; slot++) {
      const at = slot * columns;
      joined.set(embeddings.subarray(slot * size, (slot + 1) * size), at);
      joined.set(blockVectors.subarray(slot * size, (slot + 1) * size), at + size);
      joined.set(features.subarray(slot * SLOT_FEATURES, (slot + 1) * SLOT_FEATURES), at + 2 * size);
    }
    return tf.tensor2d(joined, [slotCount, columns]);
  }

  private lastTail({ tail, tailCount }: LensInput): tf.Tensor2D {
    const count = Math.min(tailCount, this.tailTokens);
    const values = tail.subarray((tailCount - count) * this.hiddenSize, tailCount * this.hiddenSize);
    return tf.tensor2d(values, [count, this.hiddenSize]);
  }

  private checkSizes({ slotCount, embeddings, blockVectors, features, tail, tailCount }: LensInput): void {
    const check = (what: string, values: Float32Array, expected: number): void => {
      if (values.length !== expected) throw new ShapeError(what, expected, values.length);
    };
    check('embeddings', embeddings, slotCount * this.hiddenSize);
    check('blockVectors', blockVectors, slotCount * this.hiddenSize);
    check('features', features, slotCount * SLOT_FEATURES);
    check('tail', tail, tailCount * this.hiddenSize);
  }

  private load() {
    const { loader, hiddenSize } = this;
    const { width, tailQueries, tailTokens } = this.config;
    const project = (name: string, inputs: number, outputs: number, hasBias: boolean): Linear =>
      loader.linear(inputs, [{ name, outputs }], hasBias);
    return {
      slotIn: project('slot_in', 2 * hiddenSize + SLOT_FEATURES, width, true),
      tailIn: project('tail_in', hiddenSize, width, true),
      tailPositions: loader.matrix('tail_pos', tailTokens, width),
      tailNorm: loader.vector('tail_block.input_layernorm.weight', width),
      tailAttention: this.loadAttention('tail_block.self_attn'),
      tailPostNorm: loader.vector('tail_block.post_attention_layernorm.weight', width),
      tailMlp: this.loadSwiGlu('tail_block.mlp'),
      tailQueries: loader.matrix('tail_queries', tailQueries, width, 1 / Math.sqrt(width)),
      read: this.loadCrossBlock('read'),
      score: this.loadCrossBlock('score'),
      nullSlot: loader.matrix('null', 1, width),
      matchQ: project('match_q', width, width, false),
      matchK: project('match_k', width, width, false),
      matchScale: loader.vector('match_scale', 1),
      headNorm: loader.vector('head_norm.weight', width),
      head: project('head', width, 1, true),
      unit: loader.constant(width, 1 / Math.sqrt(width)),
    };
  }

  private loadCrossBlock(prefix: string): CrossBlock {
    const norm = (name: string): tf.Tensor1D =>
      this.loader.vector(`${prefix}.${name}.weight`, this.config.width);
    return {
      normQ: norm('norm_q'),
      normKv: norm('norm_kv'),
      normMlp: norm('norm_mlp'),
      attention: this.loadAttention(`${prefix}.attn`),
      mlp: this.loadSwiGlu(`${prefix}.mlp`),
    };
  }

  private loadAttention(prefix: string): Attention {
    const { width, heads } = this.config;
    const project = (name: string, hasBias: boolean, scale = 1): Linear =>
      this.loader.linear(width, [{ name: `${prefix}.${name}_proj`, outputs: width, scale }], hasBias);
    return {
      q: project('q', true, 1 / Math.sqrt(width / heads)),
      k: project('k', true),
      v: project('v', true),
      output: project('o', false),
    };
  }

  /** The hidden size is the file's: the manifest does not name it. */
  private loadSwiGlu(prefix: string): SwiGlu {
    const { width } = this.config;
    const hidden = this.loader.file.shape(`${prefix}.gate_proj.weight`)[0] ?? 0;
    const part = (name: string) => ({ name: `${prefix}.${name}_proj`, outputs: hidden });
    return {
      gateUp: this.loader.linear(width, [part('gate'), part('up')], false),
      down: this.loader.linear(hidden, [{ name: `${prefix}.down_proj`, outputs: width }], false),
    };
  }
}
