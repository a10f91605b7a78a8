/** Turns checkpoint tensors into device tensors: linear weights transposed to `[in, out]`, stacked, scaled. */
import * as tf from '@tensorflow/tfjs';
import type { TensorFile } from './tensor-file.ts';

/** A linear map on the device. */
export interface Linear {
  /** `[in, out]` */
  readonly weight: tf.Tensor2D;
  /** `[out]` */
  readonly bias: tf.Tensor1D | null;
}

interface LinearPart {
  /** The tensor's name without `.weight` or `.bias`. */
  readonly name: string;
  readonly outputs: number;
  /** Factor for weight and bias; 1 where absent. */
  readonly scale?: number;
}

/** Collects the device tensors of one network, so that they are disposed together. */
export class WeightLoader {
  private readonly tensors: tf.Tensor[] = [];

  constructor(readonly file: TensorFile) {}

  vector(name: string, size: number): tf.Tensor1D {
    return this.own(tf.tensor1d(this.file.floats(name, [size])));
  }

  /** `[rows, columns]` as in the file, times `scale`. */
  matrix(name: string, rows: number, columns: number, scale = 1): tf.Tensor2D {
    const values = this.file.floats(name, [rows, columns]).map((value) => value * scale);
    return this.own(tf.tensor2d(values, [rows, columns]));
  }

  constant(size: number, value: number): tf.Tensor1D {
    return this.own(tf.fill([size], value));
  }

  /** `[rows, columns]` in the file → `[columns, rows]` on the device, times `scale`. */
  transposed(name: string, rows: number, columns: number, scale: number): tf.Tensor2D {
    const source = this.file.floats(name, [rows, columns]);
    return this.own(tf.tensor2d(transpose(source, rows, columns, scale), [columns, rows]));
  }

  /** Linear maps of the same input side by side: one product instead of several. */
  linear(inputs: number, parts: readonly LinearPart[], hasBias: boolean): Linear {
    const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
    const weight = new Float32Array(inputs * outputs);
    const bias = new Float32Array(outputs);
    let column = 0;
    for (const { name, outputs: width, scale = 1 } of parts) {
      const source = this.file.floats(`${name}.weight`, [width, inputs]);
      for (let output = 0; output < width; output++) {
        for (let input = 0; input < inputs; input++) {
          weight[input * outputs + column + output] = source[output * inputs + input]! * scale;
        }
      }
      if (hasBias) {
        const values = this.file.floats(`${name}.bias`, [width]);
        for (let output = 0; output < width; output++) bias[column + output] = values[output]! * scale;
      }
      column += width;
    }
    return {
      weight: this.own(tf.tensor2d(weight, [inputs, outputs])),
      bias: hasBias ? this.own(tf.tensor1d(bias)) : null,
    };
  }

  /** Dispose every tensor made so far. */
  dispose(): void {
    tf.dispose(this.tensors);
    this.tensors.length = 0;
  }

  private own<T extends tf.Tensor>(tensor: T): T {
    this.tensors.push(tensor);
    return tensor;
  }
}

function transpose(source: Float32Array, rows: number, columns: number, scale: number): Float32Array {
  const result = new Float32Array(source.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = source[row * columns + column]! * scale;
    }
  }
  return result;
}

/** `x · weight + bias`, `[rows, in]` → `[rows, out]`. */
export function applyLinear(x: tf.Tensor2D, { weight, bias }: Linear): tf.Tensor2D {
  if (bias === null) return tf.matMul(x, weight);
  return tf.fused.matMul({ a: x, b: weight, bias, transposeA: false, transposeB: false }) as tf.Tensor2D;
}
