/** The custom kernels for the 'webgpu' backend: one WGSL program each, run through the backend's own queue. */
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend, WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import { BackendError } from '../errors.ts';
import type { AttentionShape, HeadColumns, Kernels, QueryShape, RopeTables } from './kernels.ts';

const LANES = 64;

export class WebGpuKernels implements Kernels {
  rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon: number): tf.Tensor2D {
    const program = rowProgram('rms-norm', ['x', 'weight'], x.shape, 'epsilon : f32,', RMS_NORM);
    return run(program, [x, weight], [{ type: 'float32', data: [epsilon] }]);
  }

  takeHeads(x: tf.Tensor2D, columns: HeadColumns, rope: RopeTables | null): tf.Tensor2D {
    const shape: [number, number] = [x.shape[0], columns.heads * columns.headDim];
    return this.rotate(shape, 0, x, columns, rope);
  }

  appendHeads(
    target: tf.Tensor2D,
    firstRow: number,
    x: tf.Tensor2D,
    columns: HeadColumns,
    rope: RopeTables | null,
  ): void {
    this.rotate(target.shape, firstRow, x, columns, rope, target);
  }

  moveRows(target: tf.Tensor2D, first: number, sources: Int32Array): void {
    const columns: HeadColumns = { start: 0, heads: 1, headDim: target.shape[1] };
    const moved = tf.gather(target, tf.tensor1d(sources, 'int32'));
    this.appendHeads(target, first, moved, columns, null);
  }

  attention(q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D, shape: AttentionShape): tf.Tensor2D {
    const hasFirstKey = shape.firstKey !== null;
    const program: WebGPUProgram = {
      variableNames: hasFirstKey ? ['q', 'k', 'v', 'firstKeys'] : ['q', 'k', 'v'],
      outputShape: q.shape,
      workgroupSize: [LANES, 1, 1],
      dispatchLayout: { x: [0], y: [1] },
      dispatch: [q.shape[0], shape.heads, 1],
      uniforms:
        'queriesPerBatch : i32, keyRowsPerBatch : i32, keyCount : i32, causalOffset : i32, heads : i32, kvHeads : i32,',
      shaderKey: `mc-attention-${shape.headDim}-${String(hasFirstKey)}`,
      getUserCode: () => attentionCode(shape.headDim, hasFirstKey),
    };
    const { queriesPerBatch, keyRowsPerBatch, keyCount, causalOffset, heads, kvHeads, firstKey } = shape;
    const numbers = [queriesPerBatch, keyRowsPerBatch, keyCount, causalOffset ?? keyCount, heads, kvHeads];
    return run(program, firstKey === null ? [q, k, v] : [q, k, v, firstKey], numbers.map(int32));
  }

  attentionWeights(q: tf.Tensor2D, k: tf.Tensor2D, shape: QueryShape): tf.Tensor2D {
    const { keyCount, heads, kvHeads, headDim } = shape;
    const uniforms = 'keyCount : i32, heads : i32, kvHeads : i32, headDim : i32,';
    const program = rowProgram('weights', ['q', 'k'], [heads, keyCount], uniforms, ATTENTION_WEIGHTS);
    return run(program, [q, k], [keyCount, heads, kvHeads, headDim].map(int32));
  }

  swiGlu(gateUp: tf.Tensor2D): tf.Tensor2D {
    const shape: [number, number] = [gateUp.shape[0], gateUp.shape[1] / 2];
    return run(flatProgram('swiglu', ['gateUp'], shape, shape, '', SWIGLU), [gateUp], []);
  }

  /** One thread per rotated pair, or per two neighbouring halves where nothing rotates. */
  private rotate(
    outputShape: [number, number],
    firstRow: number,
    x: tf.Tensor2D,
    { start, heads, headDim }: HeadColumns,
    rope: RopeTables | null,
    target?: tf.Tensor2D,
  ): tf.Tensor2D {
    const pairs: [number, number] = [x.shape[0], (heads * headDim) / 2];
    const code = rope === null ? rotateCode('1.0', '0.0') : rotateCode('cosines[angle]', 'sines[angle]');
    const names = rope === null ? ['x'] : ['x', 'cosines', 'sines'];
    const uniforms = 'pairs : i32, pairsPerRow : i32, firstRow : i32, start : i32, headDim : i32,';
    const key = rope === null ? 'take-heads' : 'rotate-heads';
    const program = flatProgram(key, names, outputShape, pairs, uniforms, code);
    const inputs = rope === null ? [x] : [x, rope.cos, rope.sin];
    return run(program, inputs, [pairs[0] * pairs[1], pairs[1], firstRow, start, headDim].map(int32), target);
  }
}

const int32 = (value: number): { type: string; data: number[] } => ({ type: 'int32', data: [value] });

/** Run a program into a new tensor, or in place into `target`. */
function run(
  program: WebGPUProgram,
  inputs: tf.Tensor[],
  uniforms: { type: string; data: number[] }[],
  target?: tf.Tensor2D,
): tf.Tensor2D {
  const backend = tf.backend();
  if (tf.getBackend() !== 'webgpu') throw new BackendError('These kernels need the WebGPU backend.');
  const programs = backend as unknown as Pick<WebGPUBackend, 'runWebGPUProgram'>;
  const info = programs.runWebGPUProgram(program, inputs, 'float32', uniforms, target);
  return target ?? (tf.engine().makeTensorFromTensorInfo(info, backend) as tf.Tensor2D);
}

/** One workgroup of LANES threads per row. */
function rowProgram(
  key: string,
  variableNames: string[],
  outputShape: number[],
  uniforms: string,
  code: string,
): WebGPUProgram {
  return {
    variableNames,
    outputShape,
    uniforms,
    workgroupSize: [LANES, 1, 1],
    dispatchLayout: { x: [0], y: [1] },
    dispatch: [outputShape[0]!, 1, 1],
    shaderKey: `mc-${key}`,
    getUserCode: () => code,
  };
}

/** One thread per element of `work`. */
function flatProgram(
  key: string,
  variableNames: string[],
  outputShape: number[],
  work: [number, number],
  uniforms: string,
  code: string,
): WebGPUProgram {
  const program: WebGPUProgram = {
    variableNames,
    outputShape,
    workgroupSize: [LANES, 1, 1],
    dispatchLayout: { x: [0, 1] },
    dispatch: [Math.ceil((work[0] * work[1]) / LANES), 1, 1],
    shaderKey: `mc-${key}`,
    getUserCode: () => code,
  };
  if (uniforms !== '') program.uniforms = uniforms;
  return program;
}

const RMS_NORM = `
  var<workgroup> partial : array<f32, ${LANES}>;
  fn main() {
    let columns = uniforms.outShape[1];
    let base = i32(workgroupId.x) * columns;
    let lane = i32(localId.x);
    var squares = 0.0;
    for (var i = lane; i < columns; i += ${LANES}) {
      squares += x[base + i] * x[base + i];
    }
    partial[lane] = squares;
    for (var width = ${LANES / 2}; width > 0; width >>= 1u) {
      workgroupBarrier();
      if (lane < width) { partial[lane] += partial[lane + width]; }
    }
    workgroupBarrier();
    let factor = inverseSqrt(partial[0] / f32(columns) + uniforms.epsilon);
    for (var i = lane; i < columns; i += ${LANES}) {
      result[base + i] = x[base + i] * factor * weight[i];
    }
  }`;

const SWIGLU = `
  fn main(index : i32) {
    let columns = uniforms.outShape[1];
    if (index >= uniforms.outShape[0] * columns) { return; }
    let row = index / columns;
    let at = row * 2 * columns + index - row * columns;
    let gate = gateUp[at];
    result[index] = gate / (1.0 + exp(-gate)) * gateUp[at + columns];
  }`;

/**
 * One workgroup per head. Each lane scores every LANES-th key into the result, then scales what it wrote itself:
 * no lane reads what another one wrote there.
 */
const ATTENTION_WEIGHTS = `
  var<workgroup> partial : array<f32, ${LANES}>;
  fn main() {
    let lane = i32(localId.x);
    let head = i32(workgroupId.x);
    let at = head * uniforms.headDim;
    let stride = uniforms.kvHeads * uniforms.headDim;
    let first = head / (uniforms.heads / uniforms.kvHeads) * uniforms.headDim;
    let base = head * uniforms.keyCount;
    var top = -3.0e38;
    for (var key = lane; key < uniforms.keyCount; key += ${LANES}) {
      var score = 0.0;
      for (var i = 0; i < uniforms.headDim; i++) { score += q[at + i] * k[key * stride + first + i]; }
      result[base + key] = score;
      top = max(top, score);
    }
    partial[lane] = top;
    workgroupBarrier();
    for (var i = 0; i < ${LANES}; i++) { top = max(top, partial[i]); }
    workgroupBarrier();
    var total = 0.0;
    for (var key = lane; key < uniforms.keyCount; key += ${LANES}) {
      let weight = exp(result[base + key] - top);
      result[base + key] = weight;
      total += weight;
    }
    partial[lane] = total;
    workgroupBarrier();
    total = 0.0;
    for (var i = 0; i < ${LANES}; i++) { total += partial[i]; }
    for (var key = lane; key < uniforms.keyCount; key += ${LANES}) { result[base + key] /= total; }
  }`;

function rotateCode(cosine: string, sine: string): string {
  return `
  fn main(index : i32) {
    if (index >= uniforms.pairs) { return; }
    let half = uniforms.headDim / 2;
    let row = index / uniforms.pairsPerRow;
    let pair = index - row * uniforms.pairsPerRow;
    let head = pair / half;
    let i = pair - head * half;
    let column = head * uniforms.headDim + i;
    let angle = row * half + i;
    let low = x[row * uniforms.xShape[1] + uniforms.start + column];
    let high = x[row * uniforms.xShape[1] + uniforms.start + column + half];
    let to = (uniforms.firstRow + row) * uniforms.outShape[1] + column;
    result[to] = low * ${cosine} - high * ${sine};
    result[to + half] = high * ${cosine} + low * ${sine};
  }`;
}

/**
 * One workgroup per query and head. Each lane runs an online softmax over every LANES-th key; then the lanes'
 * maxima, totals and mixed values are merged, one output dimension per lane.
 */
function attentionCode(headDim: number, hasFirstKey: boolean): string {
  return `
  var<workgroup> highest : array<f32, ${LANES}>;
  var<workgroup> totals : array<f32, ${LANES}>;
  var<workgroup> merged : array<f32, ${LANES}>;
  fn main() {
    let lane = i32(localId.x);
    let row = i32(workgroupId.x);
    let head = i32(workgroupId.y);
    let batch = row / uniforms.queriesPerBatch;
    let query = row - batch * uniforms.queriesPerBatch;
    let at = (row * uniforms.heads + head) * ${headDim};
    let kvHead = head / (uniforms.heads / uniforms.kvHeads);
    let first = ${hasFirstKey ? 'firstKeys[batch]' : '0'};
    let end = min(uniforms.keyCount, query + uniforms.causalOffset + 1);
    var top = -3.0e38;
    var total = 0.0;
    var mixed : array<f32, ${headDim}>;
    for (var i = 0; i < ${headDim}; i++) { mixed[i] = 0.0; }
    for (var key = first + lane; key < end; key += ${LANES}) {
      let keyAt = ((batch * uniforms.keyRowsPerBatch + key) * uniforms.kvHeads + kvHead) * ${headDim};
      var score = 0.0;
      for (var i = 0; i < ${headDim}; i++) { score += q[at + i] * k[keyAt + i]; }
      let newTop = max(top, score);
      let keep = exp(top - newTop);
      let weight = exp(score - newTop);
      total = total * keep + weight;
      for (var i = 0; i < ${headDim}; i++) { mixed[i] = mixed[i] * keep + weight * v[keyAt + i]; }
      top = newTop;
    }
    highest[lane] = top;
    workgroupBarrier();
    var allTop = -3.0e38;
    for (var i = 0; i < ${LANES}; i++) { allTop = max(allTop, highest[i]); }
    let share = exp(top - allTop);
    totals[lane] = total * share;
    workgroupBarrier();
    var allTotal = 0.0;
    for (var i = 0; i < ${LANES}; i++) { allTotal += totals[i]; }
    for (var i = 0; i < ${headDim}; i++) {
      merged[lane] = mixed[i] * share;
      for (var width = ${LANES / 2}; width > 0; width >>= 1u) {
        workgroupBarrier();
        if (lane < width) { merged[lane] += merged[lane + width]; }
      }
      if (lane == 0) { result[at + i] = select(0.0, merged[0] / allTotal, allTotal > 0.0); }
      workgroupBarrier();
    }
  }`;
}
