/** A base's weights on a WebGPU device, with the kernels that multiply by them. */
import type { GpuBuffers } from '../gpu/buffers.ts';
import { appendKernel } from '../gpu/cache.ts';
import type { Kernel, KernelSet } from '../gpu/kernel.ts';
import { type GpuMatrix, type MatrixPart, uploadMatrix } from '../gpu/matrix.ts';
import { type Product, type ProductShape, takeProduct } from '../gpu/product.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import type { BaseConfig } from './config.ts';
import { layerTensors } from './tensor-names.ts';

/** A product with the weights and vectors that it reads. */
export interface GpuLinear {
  readonly product: Product;
  readonly matrix: GpuMatrix;
  /** Of the RMSNorm before it. */
  readonly norm: GPUBuffer | null;
}

export interface GpuLayer {
  /** q, k and v one behind the other, the input norm before them. */
  readonly qkv: GpuLinear;
  readonly append: Kernel;
  readonly output: GpuLinear;
  /** gate and up, the norm before them. */
  readonly gateUp: GpuLinear;
  readonly down: GpuLinear;
}

interface MatrixName {
  /** Without `.weight` or `.bias`. */
  readonly name: string;
  readonly outputs: number;
}

interface LinearOptions {
  readonly label: string;
  readonly into: ProductShape['into'];
  /** The tensor of the RMSNorm before it. */
  readonly norm?: string;
  readonly hasBias?: boolean;
}

export class GpuWeights {
  constructor(
    private readonly config: BaseConfig,
    private readonly file: TensorFile,
    private readonly buffers: GpuBuffers,
    private readonly kernels: KernelSet,
  ) {}

  /** @throws {WeightError} if a tensor does not fit the configuration; {BackendError} if the device has no room. */
  layer(prefix: string, hasRope: boolean): GpuLayer {
    const { config } = this;
    const { hiddenSize, heads, kvHeads, headDim, intermediateSize, attentionBias: hasBias } = config;
    const names = layerTensors(prefix);
    const qkv = [
      { name: names.q, outputs: heads * headDim },
      { name: names.k, outputs: kvHeads * headDim },
      { name: names.v, outputs: kvHeads * headDim },
    ];
    const gateUp = [
      { name: names.gate, outputs: intermediateSize },
      { name: names.up, outputs: intermediateSize },
    ];
    const output = [{ name: names.output, outputs: hiddenSize }];
    const down = [{ name: names.down, outputs: hiddenSize }];
    return {
      qkv: this.linear(qkv, hiddenSize, {
        label: 'norm and qkv',
        into: 'store',
        norm: names.inputNorm,
        hasBias,
      }),
      append: this.kernels.take(appendKernel(config, hasRope)),
      output: this.linear(output, heads * headDim, { label: 'output and residual', into: 'add' }),
      gateUp: this.linear(gateUp, hiddenSize, {
        label: 'norm, gate and up',
        into: 'gate',
        norm: names.postNorm,
      }),
      down: this.linear(down, intermediateSize, { label: 'down and residual', into: 'add' }),
    };
  }

  /** The embeddings, where they are not the head's, too. */
  table(name: string): GpuMatrix {
    const { vocabularySize, hiddenSize } = this.config;
    const stored = this.file.stored(`${name}.weight`, [vocabularySize, hiddenSize]);
    return uploadMatrix(this.buffers, [{ stored, outputs: vocabularySize }], hiddenSize);
  }

  vector(name: string, size: number): GPUBuffer {
    return this.buffers.filled(this.file.floats(name, [size]));
  }

  /** The product with matrices of the same inputs, side by side. */
  linear(matrices: readonly MatrixName[], inputs: number, options: LinearOptions): GpuLinear {
    const { label, into, norm, hasBias = false } = options;
    const parts = matrices.map(({ name, outputs }): MatrixPart => ({
      stored: this.file.stored(`${name}.weight`, [outputs, inputs]),
      outputs,
    }));
    const bias = hasBias
      ? Float32Array.from(
          matrices.flatMap(({ name, outputs }) => [...this.file.floats(`${name}.bias`, [outputs])]),
        )
      : null;
    const matrix = uploadMatrix(this.buffers, parts, inputs, bias);
    const outputs = into === 'gate' ? matrix.outputs / 2 : matrix.outputs;
    const epsilon = norm === undefined ? null : this.config.epsilon;
    return {
      product: takeProduct(this.kernels, {
        label,
        format: matrix.format,
        inputs,
        outputs,
        epsilon,
        hasBias,
        into,
      }),
      matrix,
      norm: norm === undefined ? null : this.vector(norm, inputs),
    };
  }
}
