/**
 * Trains one LensNet of any variant on the active backend, example by example. Weights and the
 * optimiser's state live on the CPU; the device holds the weights' tensors from a step's first example to its
 * end, and nothing between two steps.
 */
import * as tf from '@tensorflow/tfjs';
// Behind the core, whose flags it reads.
import '#tfjs-gradients';
import { TrainingError } from '../../errors.ts';
import { checkLensInput, joinSlots, lastTail, type SlotShape, slotColumns, slotShapeOf } from '../input.ts';
import type {
  EntryTarget,
  ExampleLoss,
  LensExample,
  LensInput,
  LensTrainer,
  TrainerState,
} from '../../ports.ts';
import type { SafetensorsFile } from '../../model-folder/safetensors.ts';
import { AdamW } from './adamw.ts';
import { lensLoss } from './loss.ts';
import { LensParameters } from './trainable-weights.ts';
import type { LensShape } from './trainable-weights.ts';
import { trainingLogits } from './forward.ts';

/** Longest gradient, by the Euclidean norm. */
const CLIP_NORM = 1;
const WEIGHT_DECAY = 0.01;

export class SlotLensTrainer implements LensTrainer {
  private readonly slotShape: SlotShape;
  private readonly parameters: LensParameters;
  private readonly optimizer: AdamW;
  private readonly gradient: Float32Array;
  private examples = 0;
  private device: ReadonlyMap<string, tf.Tensor> | null = null;

  /** @throws {WeightError} if the file does not fit the shape. */
  constructor(
    private readonly shape: LensShape,
    file: SafetensorsFile,
  ) {
    this.slotShape = slotShapeOf(shape.hiddenSize, shape.config);
    this.parameters = new LensParameters(shape, file);
    const { list, values } = this.parameters;
    const matrices = list.filter((parameter) => parameter.isTransposed);
    this.optimizer = new AdamW(values.length, matrices, WEIGHT_DECAY);
    this.gradient = new Float32Array(values.length);
  }

  async addExample(example: LensExample): Promise<ExampleLoss> {
    const flat = tf.tidy(() => this.lossAndGradient(example));
    try {
      const values = await flat.data<'float32'>();
      const [total, regression, ranking] = [values[0]!, values[1]!, values[2]!];
      if (!Number.isFinite(total)) throw new TrainingError(`The loss of an example is ${total}.`);
      for (let i = 0; i < this.gradient.length; i++) this.gradient[i]! += values[3 + i]!;
      this.examples++;
      return { total, regression, ranking };
    } finally {
      flat.dispose();
    }
  }

  applyStep(learningRate: number): number {
    const { gradient, parameters, optimizer } = this;
    let squares = 0;
    for (let i = 0; i < gradient.length; i++) {
      const value = (gradient[i]! /= this.examples);
      squares += value * value;
    }
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm)) {
      this.dropStep();
      throw new TrainingError(`The gradient's norm is ${norm}.`);
    }
    if (norm > CLIP_NORM) for (let i = 0; i < gradient.length; i++) gradient[i]! *= CLIP_NORM / norm;
    optimizer.apply(parameters.values, gradient, learningRate);
    this.dropStep();
    return norm;
  }

  dropStep(): void {
    this.gradient.fill(0);
    this.examples = 0;
    this.freeDevice();
  }

  snapshot(): TrainerState {
    return { weights: this.parameters.values.slice(), optimizer: this.optimizer.snapshot() };
  }

  restore({ weights, optimizer }: TrainerState): void {
    this.dropStep();
    this.parameters.values.set(weights);
    this.optimizer.restore(optimizer);
  }

  encodeWeights(file: string, state?: TrainerState): ArrayBuffer {
    return this.parameters.encode(state?.weights ?? this.parameters.values, file);
  }

  /** The gradient added up so far, by tensor; copies. */
  gradientByName(): ReadonlyMap<string, { readonly offset: number; readonly values: Float32Array }> {
    return new Map(
      this.parameters.list.map(({ name, offset, size }) => {
        return [name, { offset, values: this.gradient.slice(offset, offset + size) }];
      }),
    );
  }

  /** Every slot's logit as training sees it; `[N]`, the caller's. */
  async logits(input: LensInput): Promise<Float32Array> {
    const logits = tf.tidy(() => {
      const weights = this.onDevice();
      const slots = this.rows(joinSlots(input, this.slotShape));
      const chosen = Array.from({ length: input.slotCount }, (_, slot) => slot);
      const forward = { slots, chosen, chosenSlots: slots, tail: this.tailOf(input) };
      return trainingLogits(this.shape, (name) => weights.get(name)!, forward);
    });
    try {
      return await logits.data<'float32'>();
    } finally {
      logits.dispose();
      this.freeDevice();
    }
  }

  dispose(): void {
    this.freeDevice();
  }

  /** `[3 + parameters]`: total loss, its two terms, then the gradient in the parameters' order. */
  private lossAndGradient(example: LensExample): tf.Tensor1D {
    const { shape, slotShape, parameters } = this;
    checkLensInput(example, slotShape);
    const tensors = this.onDevice();
    const joined = joinSlots(example, slotShape);
    const chosen = slotsOfTargets(example.targets);
    const input = {
      slots: this.rows(joined),
      chosen,
      chosenSlots: this.rows(rowsOf(joined, chosen, slotColumns(slotShape))),
      tail: this.tailOf(example),
    };
    const terms: tf.Scalar[] = [];
    const lossOf = (...inputs: tf.Tensor[]): tf.Scalar => {
      const byName = new Map(parameters.list.map(({ name }, i) => [name, inputs[i]!]));
      const logits = trainingLogits(shape, (name) => byName.get(name)!, input);
      const { total, regression, ranking } = lensLoss(logits, example.targets);
      terms.push(tf.keep(regression), tf.keep(ranking));
      return total;
    };
    try {
      const { value, grads } = tf.valueAndGrads(lossOf)(
        parameters.list.map(({ name }) => tensors.get(name)!),
      );
      return tf.concat1d([value, ...terms, ...grads].map((tensor) => tf.reshape<tf.Rank.R1>(tensor, [-1])));
    } finally {
      tf.dispose(terms);
    }
  }

  /** Uploaded once a step; kept beyond the surrounding tidy. */
  private onDevice(): ReadonlyMap<string, tf.Tensor> {
    this.device ??= new Map(
      this.parameters.list.map(({ name, shape, offset, size }) => {
        const values = this.parameters.values.slice(offset, offset + size);
        return [name, tf.keep(tf.tensor(values, [...shape], 'float32'))];
      }),
    );
    return this.device;
  }

  private freeDevice(): void {
    if (this.device !== null) tf.dispose([...this.device.values()]);
    this.device = null;
  }

  private rows(joined: Float32Array): tf.Tensor2D {
    const columns = slotColumns(this.slotShape);
    return tf.tensor2d(joined, [joined.length / columns, columns]);
  }

  private tailOf(input: LensInput): tf.Tensor2D {
    const { hiddenSize, config } = this.shape;
    const tail = lastTail(input, hiddenSize, config.tailTokens);
    return tf.tensor2d(tail, [tail.length / hiddenSize, hiddenSize]);
  }
}

/** The targets' slots, one target after the other. */
function slotsOfTargets(targets: readonly EntryTarget[]): readonly number[] {
  return targets.flatMap(({ firstSlot, slotCount }) => {
    return Array.from({ length: slotCount }, (_, i) => firstSlot + i);
  });
}

/** The rows of these slots: picked on the CPU, where no gradient is needed. */
function rowsOf(joined: Float32Array, slots: readonly number[], columns: number): Float32Array {
  const chosen = new Float32Array(slots.length * columns);
  slots.forEach((slot, row) => {
    chosen.set(joined.subarray(slot * columns, (slot + 1) * columns), row * columns);
  });
  return chosen;
}
