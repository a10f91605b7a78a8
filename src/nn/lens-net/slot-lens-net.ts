/** LensNet of any variant as TensorFlow.js operations: joins the slots, runs the variant's body, matches slots with queries. */
import * as tf from '@tensorflow/tfjs';
import type { SlotView } from '../../core/context/slot-view.ts';
import { loadDualCross } from './variants/dual-cross-attention.ts';
import { checkLensInput, joinSlots, lastTail, type SlotShape, slotColumns, slotShapeOf } from './input.ts';
import { type LensBody, LensLayers } from './variants/layers.ts';
import { loadPerceiver } from './variants/perceiver.ts';
import { loadTransformer } from './variants/transformer.ts';
import type { LensNetConfig } from '../model-folder/manifest.ts';
import type { LensInput } from '../ports.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { applyLinear, type Linear, WeightLoader } from '../model-folder/weights.ts';
import type { LensLogits } from './lens-logits.ts';

export class SlotLensNet implements LensLogits {
  readonly id = 'lensnet';
  readonly version: number;
  readonly tailTokens: number;
  readonly readsWords: boolean;
  private readonly shape: SlotShape;
  private readonly layers: LensLayers;
  private readonly weights: ReturnType<SlotLensNet['load']>;

  constructor(
    private readonly hiddenSize: number,
    epsilon: number,
    private readonly config: LensNetConfig,
    file: TensorFile,
  ) {
    this.version = config.version;
    this.tailTokens = config.tailTokens;
    this.shape = slotShapeOf(hiddenSize, config);
    this.readsWords = this.shape.lexicalFeatures > 0;
    this.layers = new LensLayers(new WeightLoader(file), config.width, config.heads, epsilon);
    try {
      this.weights = this.load();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  async score(view: SlotView): Promise<Float32Array> {
    const logits = await this.logits(view);
    return logits.map(Math.tanh);
  }

  async logits(input: LensInput): Promise<Float32Array> {
    const { slotCount, tailCount } = input;
    checkLensInput(input, this.shape);
    if (slotCount === 0 || tailCount === 0) return new Float32Array(slotCount);
    const logits = tf.tidy(() => this.run(input));
    try {
      return await logits.data<'float32'>();
    } finally {
      logits.dispose();
    }
  }

  dispose(): void {
    this.layers.loader.dispose();
  }

  private run(input: LensInput): tf.Tensor1D {
    const { weights, layers, hiddenSize, shape } = this;
    const joined = tf.tensor2d(joinSlots(input, shape), [input.slotCount, slotColumns(shape)]);
    const tailRows = lastTail(input, hiddenSize, this.tailTokens);
    const tail = tf.tensor2d(tailRows, [tailRows.length / hiddenSize, hiddenSize]);
    const { slots, queries } = weights.body(applyLinear(joined, weights.slotIn), tail);
    const matchQ = this.toUnit(applyLinear(queries, weights.matchQ));
    const matchK = this.toUnit(applyLinear(slots, weights.matchK));
    const match = tf.max<tf.Tensor1D>(tf.matMul(matchK, tf.transpose(matchQ)), 1);
    const head = applyLinear(layers.norm(slots, weights.headNorm), weights.head);
    return tf.add(tf.mul(match, weights.matchScale), tf.reshape(head, [input.slotCount]));
  }

  /** Rows to length 1, with 1e-6 added to the squared norm: an RMSNorm in other units. */
  private toUnit(x: tf.Tensor2D): tf.Tensor2D {
    return this.layers.norm(x, this.weights.unit, 1e-6 / this.config.width);
  }

  private load() {
    const { layers } = this;
    const { loader, width } = layers;
    const project = (name: string, inputs: number, outputs: number, hasBias: boolean): Linear =>
      loader.linear(inputs, [{ name, outputs }], hasBias);
    return {
      slotIn: project('slot_in', slotColumns(this.shape), width, true),
      body: this.loadBody(),
      matchQ: project('match_q', width, width, false),
      matchK: project('match_k', width, width, false),
      matchScale: loader.vector('match_scale', 1),
      headNorm: layers.vector('head_norm.weight'),
      head: project('head', width, 1, true),
      unit: loader.constant(width, 1 / Math.sqrt(width)),
    };
  }

  private loadBody(): LensBody {
    const { layers, hiddenSize, config } = this;
    switch (config.variant) {
      case 'dual-cross-attention':
        return loadDualCross(layers, hiddenSize, config);
      case 'transformer':
        return loadTransformer(layers, hiddenSize, config);
      case 'perceiver':
        return loadPerceiver(layers, hiddenSize, config);
      default:
        throw new Error(config satisfies never);
    }
  }
}
