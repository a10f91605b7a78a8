/** The layers that LensNet's variants are built of, without any order among them (docs/models.md). */
import * as tf from '@tensorflow/tfjs';
import { activeKernels } from '../../backend/active-kernels.ts';
import type { Kernels } from '../../backend/kernels.ts';
import { applyLinear, type Linear, type WeightLoader } from '../../model-folder/weights.ts';
import { type AttentionWeights, attendOverFew, fewAttendOver, isWorthFolding } from './folded-attention.ts';

interface SwiGlu {
  readonly gateUp: Linear;
  readonly down: Linear;
}

/** Pre-norm attention of one set over another, and a SwiGLU. */
interface CrossBlock {
  readonly normQ: tf.Tensor1D;
  readonly normKv: tf.Tensor1D;
  readonly normMlp: tf.Tensor1D;
  readonly attention: AttentionWeights;
  readonly mlp: SwiGlu;
}

/** Pre-norm attention of a set over itself, and a SwiGLU. */
export interface SelfBlock {
  readonly inputNorm: tf.Tensor1D;
  readonly attention: AttentionWeights;
  readonly postNorm: tf.Tensor1D;
  readonly mlp: SwiGlu;
}

/**
 * What sets the variants apart: projected slots `[N, w]` and tail embeddings `[m, d]` → slots `[N, w]` that
 * know the query, and the query vectors `[Q, w]` that they are matched against. Runs inside `tf.tidy`.
 */
export type LensBody = (
  slots: tf.Tensor2D,
  tail: tf.Tensor2D,
) => { readonly slots: tf.Tensor2D; readonly queries: tf.Tensor2D };

/** Loads layers of one width and runs them. Results are the enclosing `tf.tidy`'s; weights are the loader's. */
export class LensLayers {
  private readonly kernels: Kernels = activeKernels();
  /** On a GPU more kernels cost more than the multiplications that they save. */
  private readonly folds = tf.getBackend() !== 'webgpu';

  constructor(
    readonly loader: WeightLoader,
    readonly width: number,
    private readonly heads: number,
    private readonly epsilon: number,
  ) {}

  norm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon = this.epsilon): tf.Tensor2D {
    return this.kernels.rmsNorm(x, weight, epsilon);
  }

  crossBlock(x: tf.Tensor2D, other: tf.Tensor2D, block: CrossBlock): tf.Tensor2D {
    const { attention, mlp } = block;
    const mixed = this.attendAcross(this.norm(x, block.normQ), this.norm(other, block.normKv), attention);
    const attended = tf.add<tf.Tensor2D>(x, mixed);
    return tf.add(attended, this.swiGlu(this.norm(attended, block.normMlp), mlp));
  }

  selfBlock(x: tf.Tensor2D, block: SelfBlock): tf.Tensor2D {
    const normed = this.norm(x, block.inputNorm);
    return this.finishSelfBlock(x, this.attend(normed, normed, block.attention), block);
  }

  /** What follows attention in a self-attention block: residual, MLP, residual. */
  finishSelfBlock(x: tf.Tensor2D, mixed: tf.Tensor2D, block: SelfBlock): tf.Tensor2D {
    const attended = tf.add<tf.Tensor2D>(x, mixed);
    return tf.add(attended, this.swiGlu(this.norm(attended, block.postNorm), block.mlp));
  }

  /** `softmax(q · kᵀ) · v` per head, everybody seeing everybody; q `[n, w]`, k and v `[m, w]`, scaled already. */
  mix(q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D): tf.Tensor2D {
    const { heads, width } = this;
    return this.kernels.attention(q, k, v, {
      batch: 1,
      queriesPerBatch: q.shape[0],
      keyRowsPerBatch: k.shape[0],
      keyCount: k.shape[0],
      causalOffset: null,
      firstKey: null,
      heads,
      kvHeads: heads,
      headDim: width / heads,
    });
  }

  swiGlu(x: tf.Tensor2D, mlp: SwiGlu): tf.Tensor2D {
    return applyLinear(this.kernels.swiGlu(applyLinear(x, mlp.gateUp)), mlp.down);
  }

  vector(name: string): tf.Tensor1D {
    return this.loader.vector(name, this.width);
  }

  loadCrossBlock(prefix: string): CrossBlock {
    return {
      normQ: this.vector(`${prefix}.norm_q.weight`),
      normKv: this.vector(`${prefix}.norm_kv.weight`),
      normMlp: this.vector(`${prefix}.norm_mlp.weight`),
      attention: this.loadAttention(`${prefix}.attn`),
      mlp: this.loadSwiGlu(`${prefix}.mlp`),
    };
  }

  loadSelfBlock(prefix: string): SelfBlock {
    return {
      inputNorm: this.vector(`${prefix}.input_layernorm.weight`),
      attention: this.loadAttention(`${prefix}.self_attn`),
      postNorm: this.vector(`${prefix}.post_attention_layernorm.weight`),
      mlp: this.loadSwiGlu(`${prefix}.mlp`),
    };
  }

  /** The hidden size is the file's: the manifest does not name it. */
  loadSwiGlu(prefix: string): SwiGlu {
    const hidden = this.loader.file.shape(`${prefix}.gate_proj.weight`)[0] ?? 0;
    const part = (name: string) => ({ name: `${prefix}.${name}_proj`, outputs: hidden });
    return {
      gateUp: this.loader.linear(this.width, [part('gate'), part('up')], false),
      down: this.loader.linear(hidden, [{ name: `${prefix}.down_proj`, outputs: this.width }], false),
    };
  }

  /** Slots and tail gists are many and few: what is few is folded into the projections. */
  private attendAcross(x: tf.Tensor2D, other: tf.Tensor2D, weights: AttentionWeights): tf.Tensor2D {
    const { heads, width } = this;
    const [n, m] = [x.shape[0], other.shape[0]];
    if (!this.folds) return this.attend(x, other, weights);
    if (isWorthFolding(n, m, heads, width)) return attendOverFew(x, other, weights, heads);
    if (isWorthFolding(m, n, heads, width)) return fewAttendOver(x, other, weights, heads);
    return this.attend(x, other, weights);
  }

  private attend(x: tf.Tensor2D, other: tf.Tensor2D, { q, k, v, output }: AttentionWeights): tf.Tensor2D {
    const mixed = this.mix(applyLinear(x, q), applyLinear(other, k), applyLinear(other, v));
    return applyLinear(mixed, output);
  }

  private loadAttention(prefix: string): AttentionWeights {
    const { width, heads } = this;
    const project = (name: string, hasBias: boolean, scale = 1): Linear =>
      this.loader.linear(width, [{ name: `${prefix}.${name}_proj`, outputs: width, scale }], hasBias);
    return {
      q: project('q', true, 1 / Math.sqrt(width / heads)),
      k: project('k', true),
      v: project('v', true),
      output: project('o', false),
    };
  }
}
