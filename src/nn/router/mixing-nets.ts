/** Router and merger of Multi-Head Focus as trained (docs/models.md): a hidden layer beside the untrained rule, on the CPU. */
import { confidentGate } from '../../core/heads/merging.ts';
import { HEAD_STATISTICS, type HeadStatistics } from '../../core/heads/router.ts';
import { WeightError } from '../model-folder/errors.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import type { HeadMerger, HeadRouter } from '../ports.ts';

/** Keeps a hidden state of zeros from dividing by zero. */
const UNIT_EPSILON = 1e-6;

/**
 * @param hiddenSize - d, the base's.
 * @param width - of the hidden layer.
 * @throws {WeightError} if the file does not fit.
 */
export function createHeadRouter(
  file: TensorFile,
  hiddenSize: number,
  heads: number,
  width: number,
): HeadRouter {
  const net = loadMixingNet(file, 'router', hiddenSize + HEAD_STATISTICS.length * heads, width, heads);
  return (query, statistics) => {
    if (statistics.length !== heads) {
      throw new RangeError(`The router is for ${heads} heads, not for ${statistics.length}.`);
    }
    const added = net([...query, ...statistics.flatMap(rowOf)]);
    return statistics.map(({ wanted }, head) => wanted + added[head]!);
  };
}

/** Parameters as `createHeadRouter`. @throws {WeightError} if the file does not fit. */
export function createHeadMerger(file: TensorFile, hiddenSize: number, width: number): HeadMerger {
  const net = loadMixingNet(file, 'merger', hiddenSize + 2, width, 1);
  return (hidden, entropyNats, utility) => {
    const meanSquare = hidden.reduce((sum, value) => sum + value * value, 0) / hidden.length;
    const scale = 1 / Math.sqrt(meanSquare + UNIT_EPSILON);
    const unit = Array.from(hidden, (value) => value * scale);
    return confidentGate(entropyNats) + net([...unit, entropyNats, utility])[0]!;
  };
}

function rowOf(statistics: HeadStatistics): readonly number[] {
  return HEAD_STATISTICS.map((name) => statistics[name]);
}

/** `[inputs]` → `[outputs]`: linear, SiLU, linear. */
function loadMixingNet(
  file: TensorFile,
  prefix: string,
  inputs: number,
  width: number,
  outputs: number,
): (x: readonly number[]) => Float64Array {
  const map = (name: string, from: number, to: number) => ({
    weight: file.floats(`${prefix}.${name}.weight`, [to, from]),
    bias: file.floats(`${prefix}.${name}.bias`, [to]),
  });
  const [input, output] = [map('input', inputs, width), map('output', width, outputs)];
  return (x) => {
    if (x.length !== inputs)
      throw new WeightError(file.file, prefix, `reads ${inputs} numbers, not ${x.length}`);
    const hidden = apply(input, Float64Array.from(x)).map((value) => value / (1 + Math.exp(-value)));
    return apply(output, hidden);
  };
}

interface DenseMap {
  /** `[out, in]` */
  readonly weight: Float32Array;
  /** `[out]` */
  readonly bias: Float32Array;
}

function apply({ weight, bias }: DenseMap, x: Float64Array): Float64Array {
  return Float64Array.from(bias, (start, row) => {
    let sum = start;
    for (let column = 0; column < x.length; column++) sum += weight[row * x.length + column]! * x[column]!;
    return sum;
  });
}
