/**
 * A base's layers on a WebGPU device: weights, kernels (`src/nn/gpu/`), room for the rows of a run, and the dispatches
 * that make a run of them. Caches are the contexts'.
 */
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import { attentionKernel, foldKernel, MOST_HEAD_DIM, QUERY_TILE, readingKernel } from '../gpu/attention.ts';
import { GpuBuffers, gpuUse } from '../gpu/buffers.ts';
import { CHOICE_WORDS, choiceKernel, choiceParts, partsKernel } from '../gpu/choice.ts';
import { appendGroups, mostAppendRows, moveKernel } from '../gpu/cache.ts';
import { type Kernel, KernelSet, RUN_STRIDE_BYTES, type Step } from '../gpu/kernel.ts';
import type { GpuMatrix } from '../gpu/matrix.ts';
import { dispatchOf, MOST_OUTPUTS, normKernel } from '../gpu/product.ts';
import type { Recorder } from '../gpu/recorder.ts';
import { type Run, runBytes } from '../gpu/run.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { PREFILL_SLOTS } from '../ports.ts';
import type { BaseConfig } from './config.ts';
import { type GpuLayer, type GpuLinear, GpuWeights } from './gpu-weights.ts';
import type { ForwardRequest } from './layer-runner.ts';
import { rotationsOf } from './rope.ts';
import { baseTensors } from './tensor-names.ts';

/** Rows whose logits are computed at once: bounds their memory. */
const LOGIT_ROWS = 32;
/** The runs of a pass: all rows, those that are wanted, those again for the norm behind the layers; then the head's. */
export const ALL_ROWS = 0;
export const WANTED_ROWS = 1;
export const NORM_ROWS = 2;
const HEAD_ROWS = 3;
/** Behind the head's over one row. */
export const FIRST_FREE_RUN = HEAD_ROWS + 1;

/** Whole vectors, and sizes that every device dispatches; all published bases of this size have them. */
export function canRunOnGpu(config: BaseConfig): boolean {
  const { hiddenSize, intermediateSize, headDim, vocabularySize } = config;
  return (
    [hiddenSize, intermediateSize, headDim].every((size) => size % 4 === 0) &&
    headDim <= MOST_HEAD_DIM &&
    Math.max(vocabularySize, 2 * intermediateSize) <= MOST_OUTPUTS &&
    mostAppendRows(config) >= PREFILL_SLOTS
  );
}

/** Rows of a run, in buffers that all runs share: they follow each other on the device's queue. */
interface Room {
  readonly runs: GPUBuffer;
  /** `[rows, headDim / 2]` cos and sin. */
  readonly angles: GPUBuffer;
  readonly x: GPUBuffer;
  readonly qkv: GPUBuffer;
  readonly q: GPUBuffer;
  readonly mixed: GPUBuffer;
  readonly gated: GPUBuffer;
  readonly normed: GPUBuffer;
  readonly logits: GPUBuffer;
  /** What was chosen after each row, `CHOICE_WORDS` each. */
  readonly choices: GPUBuffer;
}

/** A layer whose room is bound; its cache is a context's. */
interface BoundLayer {
  readonly append: Kernel;
  readonly qkv: BoundProduct;
  readonly output: BoundProduct;
  readonly gateUp: BoundProduct;
  readonly down: BoundProduct;
}

interface BoundProduct {
  readonly linear: GpuLinear;
  readonly group: GPUBindGroup;
}

export class GpuStack {
  readonly weightBytes: number;
  readonly buffers: GpuBuffers;
  readonly kernels: KernelSet;
  readonly room: Room;
  readonly layers: readonly BoundLayer[];
  readonly attention: { readonly single: Kernel; readonly tiled: Kernel };
  readonly moves: { readonly gather: Kernel; readonly scatter: Kernel };
  readonly reading: Kernel;
  private readonly folds: Readonly<Record<AttentionReading, Kernel>>;
  private readonly head: BoundProduct;
  private readonly norm: { readonly kernel: Kernel; readonly group: GPUBindGroup };
  /** What picks a token and looks it up. */
  private readonly choice: readonly Omit<Step, 'run'>[];
  private isReady = false;

  /**
   * @throws {WeightError} if the file does not fit the configuration, {BackendError} if the device has no room in one
   *   buffer; nothing is left behind.
   */
  constructor(
    readonly config: BaseConfig,
    file: TensorFile,
    readonly device: GPUDevice,
  ) {
    this.buffers = new GpuBuffers(device);
    this.kernels = new KernelSet(device);
    const { kernels, buffers } = this;
    const { vocabularySize, hiddenSize, layers, heads, epsilon } = config;
    try {
      const names = baseTensors(config);
      const weights = new GpuWeights(config, file, buffers, kernels);
      this.room = this.createRoom();
      const bytesBefore = gpuUse.bytes;
      this.layers = Array.from({ length: layers }, (_, i) =>
        this.bindLayer(weights.layer(names.layer(i), config.layerHasRope[i]!)),
      );
      const head = [{ name: names.head, outputs: vocabularySize }];
      this.head = this.bindProduct(
        weights.linear(head, hiddenSize, { label: 'head', into: 'store' }),
        this.room.normed,
        this.room.logits,
      );
      const norm = kernels.take(normKernel(hiddenSize, epsilon));
      const normWeight = weights.vector(names.norm, hiddenSize);
      this.weightBytes = gpuUse.bytes - bytesBefore;
      const { runs, x, normed } = this.room;
      this.norm = {
        kernel: norm,
        group: kernels.bind(norm, { run: runs, x, norm: normWeight, out: normed }),
      };
      this.choice = this.bindChoice(
        config.tiedHead ? this.head.linear.matrix : weights.table(names.embeddings),
      );
      this.attention = {
        single: kernels.take(attentionKernel(config, 1)),
        tiled: kernels.take(attentionKernel(config, QUERY_TILE)),
      };
      this.moves = {
        gather: kernels.take(moveKernel(config, 'gather')),
        scatter: kernels.take(moveKernel(config, 'scatter')),
      };
      this.reading = kernels.take(readingKernel(config));
      this.folds = {
        mean: kernels.take(foldKernel(layers * heads, false)),
        'strongest-head': kernels.take(foldKernel(layers * heads, true)),
        'last-layer': kernels.take(foldKernel(heads, false)),
      };
    } catch (error) {
      buffers.dispose();
      throw error;
    }
  }

  /** Wait for the kernels. @throws {BackendError} if the device refuses one. */
  async ready(): Promise<void> {
    if (this.isReady) return;
    await this.kernels.ready();
    this.isReady = true;
  }

  dispose(): void {
    this.buffers.dispose();
  }

  /** What rows a run has, into the room. */
  put(
    { embeddings, positions, deviations }: Pick<ForwardRequest, 'embeddings' | 'positions' | 'deviations'>,
    runs: readonly Run[],
  ): void {
    const { config, buffers, room } = this;
    const { cos, sin } = rotationsOf(positions, config.headDim, config.ropeTheta, deviations);
    const angles = new Float32Array(2 * cos.length);
    for (let i = 0; i < cos.length; i++) {
      angles[2 * i] = cos[i]!;
      angles[2 * i + 1] = sin[i]!;
    }
    buffers.write(room.runs, runBytes(runs));
    buffers.write(room.angles, angles);
    buffers.write(room.x, embeddings);
  }

  /** Norm and q, k, v of a layer. */
  projection(layer: number, run: number, rows: number): Step {
    return productStep(this.layers[layer]!.qkv, run, rows);
  }

  /** What follows attention in a layer. */
  finish(layer: number, run: number, rows: number): readonly Step[] {
    const { output, gateUp, down } = this.layers[layer]!;
    return [output, gateUp, down].map((product) => productStep(product, run, rows));
  }

  normStep(rows: number): Step {
    return { ...this.norm, run: NORM_ROWS, x: rows, y: 1 };
  }

  /** The head over so many normed rows; their logits go to the front of `back`. */
  recordHead(recorder: Recorder, back: GPUBuffer, rows: number): void {
    const rowBytes = this.config.vocabularySize * 4;
    for (let first = 0, run = HEAD_ROWS; first < rows; first += LOGIT_ROWS, run++) {
      const count = Math.min(LOGIT_ROWS, rows - first);
      recorder.run([productStep(this.head, run, count)]);
      recorder.copy(this.room.logits, 0, back, first * rowBytes, count * rowBytes);
    }
  }

  /** The head over one normed row, what it calls most likely, and that one's embedding into the row behind `run`'s. */
  chooseSteps(run: number): readonly Step[] {
    return [productStep(this.head, HEAD_ROWS, 1), ...this.choice.map((step) => ({ ...step, run }))];
  }

  /** Folds the weights `[layers, heads, stride]` that were read; into one a slot. */
  foldStep(reading: AttentionReading, run: number, weights: GPUBuffer, out: GPUBuffer, slots: number): Step {
    const kernel = this.folds[reading];
    const group = this.kernels.bind(kernel, { run: this.room.runs, weights, out });
    return { kernel, group, run, x: Math.ceil(slots / 64), y: 1 };
  }

  /** Workgroups that append so many rows. */
  appendGroups(rows: number): number {
    return appendGroups(this.config, rows);
  }

  private createRoom(): Room {
    const { hiddenSize, heads, kvHeads, headDim, intermediateSize, vocabularySize } = this.config;
    const rows = (columns: number): GPUBuffer => this.buffers.storage(PREFILL_SLOTS * columns * 4);
    const mostRuns = HEAD_ROWS + PREFILL_SLOTS;
    return {
      runs: this.buffers.uniform(mostRuns * RUN_STRIDE_BYTES),
      angles: rows(headDim),
      x: rows(hiddenSize),
      qkv: rows((heads + 2 * kvHeads) * headDim),
      q: rows(heads * headDim),
      mixed: rows(heads * headDim),
      gated: rows(intermediateSize),
      normed: rows(hiddenSize),
      logits: this.buffers.storage(LOGIT_ROWS * vocabularySize * 4),
      choices: rows(CHOICE_WORDS),
    };
  }

  private bindLayer(layer: GpuLayer): BoundLayer {
    const { x, qkv, mixed, gated } = this.room;
    return {
      append: layer.append,
      qkv: this.bindProduct(layer.qkv, x, qkv),
      output: this.bindProduct(layer.output, mixed, x),
      gateUp: this.bindProduct(layer.gateUp, x, gated),
      down: this.bindProduct(layer.down, gated, x),
    };
  }

  private bindChoice(table: GpuMatrix): readonly Omit<Step, 'run'>[] {
    const { kernels, buffers } = this;
    const { hiddenSize, vocabularySize } = this.config;
    const { runs: run, logits, x, choices } = this.room;
    const { weight, scales, format } = table;
    const groups = choiceParts(vocabularySize);
    const parts = buffers.storage(groups * CHOICE_WORDS * 4);
    const first = kernels.take(partsKernel(vocabularySize));
    const second = kernels.take(choiceKernel(vocabularySize, hiddenSize, format));
    const bound = { run, parts, weight, x, choices, ...(scales && { scales }) };
    return [
      { kernel: first, group: kernels.bind(first, { run, logits, parts }), x: groups, y: 1 },
      { kernel: second, group: kernels.bind(second, bound), x: 1, y: 1 },
    ];
  }

  private bindProduct(linear: GpuLinear, x: GPUBuffer, out: GPUBuffer): BoundProduct {
    const { product, matrix, norm } = linear;
    const { weight, scales, bias } = matrix;
    const group = this.kernels.bind(product.vector, {
      ...{ run: this.room.runs, x, weight, out },
      ...(scales && { scales }),
      ...(bias && { bias }),
      ...(norm && { norm }),
    });
    return { linear, group };
  }
}

/** The runs of the head over so many rows, from `HEAD_ROWS` on. */
export function headRuns(rows: number): readonly Run[] {
  const chunks = Math.ceil(rows / LOGIT_ROWS);
  return Array.from({ length: chunks }, (_, i) => ({
    rows: Math.min(LOGIT_ROWS, rows - i * LOGIT_ROWS),
    firstRow: i * LOGIT_ROWS,
    shift: 0,
    capacity: 0,
    outRow: 0,
  }));
}

function productStep({ linear, group }: BoundProduct, run: number, rows: number): Step {
  return { ...dispatchOf(linear.product, rows), group, run };
}
