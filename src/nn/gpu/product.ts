/**
 * Products of rows with weights, `out = x · weightᵀ`, with what stands before and behind them in a layer: RMSNorm of the
 * rows, bias, residual, SwiGLU. One dispatch each, by vectors for few rows and by tiles for many.
 */
import { type Kernel, type KernelBinding, type KernelSet, type KernelSource } from './kernel.ts';
import { type GpuMatrix, weightBindings, weightCode } from './matrix.ts';
import { RUN, RUN_STRUCT } from './run.ts';

export interface ProductShape {
  readonly label: string;
  readonly format: GpuMatrix['format'];
  readonly inputs: number;
  /** Columns of the result. */
  readonly outputs: number;
  /** Epsilon of the RMSNorm before it; null for none. */
  readonly epsilon: number | null;
  readonly hasBias: boolean;
  /**
   * `store` writes, `add` adds to what is there, `gate` writes `silu(a) · b` of the weight's output i as a and its
   * output `outputs + i` as b.
   */
  readonly into: 'store' | 'add' | 'gate';
}

/** The same product for few rows and for many; both bind the same. */
export interface Product {
  readonly vector: Kernel;
  readonly tiled: Kernel;
  readonly outputs: number;
}

/** Rows up to which weights are read anew for each. */
const VECTOR_ROWS = 8;
/** Lanes that share an output, and outputs of a workgroup, by vectors. */
const LANES = 16;
const OUTPUTS = 8;
/** A tile is `TILE` rows by `TILE` outputs; each of 64 lanes has four by four of them. */
const TILE = 32;

export function takeProduct(kernels: KernelSet, shape: ProductShape): Product {
  const { outputs } = shape;
  const vector = kernels.hasSubgroups ? subgroupProduct(shape) : vectorProduct(shape);
  return { vector: kernels.take(vector), tiled: kernels.take(tiledProduct(shape)), outputs };
}

/** How a product of so many rows is dispatched. */
export function dispatchOf(
  { vector, tiled, outputs }: Product,
  rows: number,
): { readonly kernel: Kernel; readonly x: number; readonly y: number } {
  return rows <= VECTOR_ROWS
    ? { kernel: vector, x: Math.ceil(outputs / OUTPUTS), y: rows }
    : { kernel: tiled, x: Math.ceil(outputs / TILE), y: Math.ceil(rows / TILE) };
}

/** The most outputs that a product may have: workgroups that every device dispatches. */
export const MOST_OUTPUTS = 65_535 * OUTPUTS;

function bindingsOf({ format, epsilon, hasBias }: ProductShape): readonly KernelBinding[] {
  const read = (name: string, type: string): KernelBinding => ({ name, kind: 'read', type });
  return [
    RUN,
    read('x', 'array<vec4f>'),
    ...weightBindings(format),
    ...(epsilon === null ? [] : [read('norm', 'array<vec4f>')]),
    ...(hasBias ? [read('bias', 'array<f32>')] : []),
    { name: 'out', kind: 'write', type: 'array<f32>' },
  ];
}

/** WGSL of `put(row, output, sum, second)`; `factor` is the RMSNorm's. */
function writeCode({ into, hasBias, outputs }: ProductShape): string {
  const biased = hasBias ? 'sum + bias[output]' : 'sum';
  const code = {
    store: `out[at] = ${biased};`,
    add: `out[at] += ${biased};`,
    gate: 'out[at] = sum / (1.0 + exp(-sum)) * second;',
  };
  return `
const OUTPUTS = ${outputs}u;
fn put(row : u32, output : u32, sum : f32, second : f32) {
  let at = (run.outRow + row) * OUTPUTS + output;
  ${code[into]}
}`;
}

/**
 * A workgroup for each row and each `OUTPUTS` outputs; `LANES` lanes share an output. The factor of the RMSNorm is the
 * same for all of a row, so that it comes last and the row's squares are summed along.
 */
function vectorProduct(shape: ProductShape): KernelSource {
  const { format, inputs, epsilon, into, label } = shape;
  const isNormed = epsilon !== null;
  const isGate = into === 'gate';
  const size = LANES * OUTPUTS;
  const sums = [['sum', true] as const, ['second', isGate] as const, ['squares', isNormed] as const]
    .filter(([, isUsed]) => isUsed)
    .map(([name]) => name);
  return {
    label,
    bindings: bindingsOf(shape),
    code: `${RUN_STRUCT}
${weightCode(format, inputs)}
${writeCode(shape)}
${sums.map((name) => `var<workgroup> ${name}OfLane : array<f32, ${size}>;`).join('\n')}
@compute @workgroup_size(${LANES}, ${OUTPUTS})
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(local_invocation_id) local : vec3u,
  @builtin(local_invocation_index) index : u32,
) {
  let output = group.x * ${OUTPUTS}u + local.y;
  let readable = min(output, OUTPUTS - 1u);
  let start = (run.firstRow + group.y) * INPUTS4;
  ${sums.map((name) => `var ${name} = 0.0;`).join('\n  ')}
  for (var v = local.x; v < INPUTS4; v += ${LANES}u) {
    let value = x[start + v];
    ${isNormed ? 'squares += dot(value, value);' : ''}
    let scaled = value${isNormed ? ' * norm[v]' : ''};
    sum += dot(scaled, weightAt(readable, v));
    ${isGate ? 'second += dot(scaled, weightAt(OUTPUTS + readable, v));' : ''}
  }
  ${sums.map((name) => `${name}OfLane[index] = ${name};`).join('\n  ')}
  workgroupBarrier();
  if (local.x > 0u || output >= OUTPUTS) { return; }
  for (var lane = 1u; lane < ${LANES}u; lane++) {
    ${sums.map((name) => `${name} += ${name}OfLane[index + lane];`).join('\n    ')}
  }
  let factor = ${isNormed ? `inverseSqrt(squares / ${inputs}.0 + ${epsilon})` : '1.0'};
  put(group.y, output, sum * factor, ${isGate ? 'second * factor' : '0.0'});
}`,
  };
}

/** The same where the device has subgroups: each takes outputs of its own and sums without memory of the workgroup. */
function subgroupProduct(shape: ProductShape): KernelSource {
  const { format, inputs, epsilon, into, label } = shape;
  const isNormed = epsilon !== null;
  const isGate = into === 'gate';
  const sums = ['sum', ...(isGate ? ['second'] : []), ...(isNormed ? ['squares'] : [])];
  return {
    label,
    usesSubgroups: true,
    bindings: bindingsOf(shape),
    code: `${RUN_STRUCT}
${weightCode(format, inputs)}
${writeCode(shape)}
@compute @workgroup_size(${LANES * OUTPUTS})
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(subgroup_id) part : u32,
  @builtin(num_subgroups) parts : u32,
  @builtin(subgroup_invocation_id) lane : u32,
  @builtin(subgroup_size) lanes : u32,
) {
  let start = (run.firstRow + group.y) * INPUTS4;
  for (var i = part; i < ${OUTPUTS}u; i += parts) {
    let output = group.x * ${OUTPUTS}u + i;
    let readable = min(output, OUTPUTS - 1u);
    ${sums.map((name) => `var ${name} = 0.0;`).join('\n    ')}
    for (var v = lane; v < INPUTS4; v += lanes) {
      let value = x[start + v];
      ${isNormed ? 'squares += dot(value, value);' : ''}
      let scaled = value${isNormed ? ' * norm[v]' : ''};
      sum += dot(scaled, weightAt(readable, v));
      ${isGate ? 'second += dot(scaled, weightAt(OUTPUTS + readable, v));' : ''}
    }
    ${sums.map((name) => `${name} = subgroupAdd(${name});`).join('\n    ')}
    if (lane > 0u || output >= OUTPUTS) { continue; }
    let factor = ${isNormed ? `inverseSqrt(squares / ${inputs}.0 + ${epsilon})` : '1.0'};
    put(group.y, output, sum * factor, ${isGate ? 'second * factor' : '0.0'});
  }
}`,
  };
}

/** Four vectors of a tile's rows and of its outputs at a time; a vector more a row, so that lanes meet in no bank. */
const DEPTH = 4;
const STRIDE = DEPTH + 1;

function tiledProduct(shape: ProductShape): KernelSource {
  const { format, inputs, epsilon, into, label } = shape;
  const isNormed = epsilon !== null;
  const isGate = into === 'gate';
  const load = (half: number): string => `
    {
      let inTile = index / ${DEPTH}u + ${half * 16}u;
      let row = firstRow + inTile;
      let output = min(firstOutput + inTile, OUTPUTS - 1u);
      var value = vec4f();
      var weights = vec4f();
      ${isGate ? 'var gates = vec4f();' : ''}
      if (v < INPUTS4) {
        if (row < run.rows) { value = x[(run.firstRow + row) * INPUTS4 + v]; }
        ${isNormed ? `squares${half} += dot(value, value);\n        value *= norm[v];` : ''}
        weights = weightAt(output, v);
        ${isGate ? 'gates = weightAt(OUTPUTS + output, v);' : ''}
      }
      rows[inTile * ${STRIDE}u + index % ${DEPTH}u] = value;
      columns[inTile * ${STRIDE}u + index % ${DEPTH}u] = weights;
      ${isGate ? `seconds[inTile * ${STRIDE}u + index % ${DEPTH}u] = gates;` : ''}
    }`;
  return {
    label,
    bindings: bindingsOf(shape),
    code: `${RUN_STRUCT}
${weightCode(format, inputs)}
${writeCode(shape)}
var<workgroup> rows : array<vec4f, ${TILE * STRIDE}>;
var<workgroup> columns : array<vec4f, ${TILE * STRIDE}>;
${isGate ? `var<workgroup> seconds : array<vec4f, ${TILE * STRIDE}>;` : ''}
${isNormed ? `var<workgroup> squaresOfLane : array<f32, ${TILE * DEPTH}>;` : ''}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) index : u32) {
  let firstRow = group.y * ${TILE}u;
  let firstOutput = group.x * ${TILE}u;
  let across = index % 8u;
  let down = index / 8u;
  var sums : array<vec4f, 4>;
  ${isGate ? 'var others : array<vec4f, 4>;' : ''}
  ${isNormed ? 'var squares0 = 0.0;\n  var squares1 = 0.0;' : ''}
  for (var first = 0u; first < INPUTS4; first += ${DEPTH}u) {
    let v = first + index % ${DEPTH}u;
    ${load(0)}
    ${load(1)}
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}u; k++) {
      ${tileColumns('columns', 'b')}
      ${isGate ? tileColumns('seconds', 'c') : ''}
      for (var i = 0u; i < 4u; i++) {
        let a = rows[(down + 8u * i) * ${STRIDE}u + k];
        sums[i] += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
        ${isGate ? 'others[i] += vec4f(dot(a, c0), dot(a, c1), dot(a, c2), dot(a, c3));' : ''}
      }
    }
    workgroupBarrier();
  }
  ${isNormed ? `squaresOfLane[index] = squares0;\n  squaresOfLane[index + 64u] = squares1;\n  workgroupBarrier();` : ''}
  for (var i = 0u; i < 4u; i++) {
    let row = down + 8u * i;
    if (firstRow + row >= run.rows) { continue; }
    ${isNormed ? `let factor = ${tiledFactor(inputs, epsilon)};` : 'let factor = 1.0;'}
    for (var j = 0u; j < 4u; j++) {
      let output = firstOutput + across + 8u * j;
      if (output < OUTPUTS) {
        put(firstRow + row, output, sums[i][j] * factor, ${isGate ? 'others[i][j] * factor' : '0.0'});
      }
    }
  }
}`,
  };
}

function tileColumns(from: string, name: string): string {
  return [0, 1, 2, 3]
    .map((j) => `let ${name}${j} = ${from}[(across + ${8 * j}u) * ${STRIDE}u + k];`)
    .join('\n      ');
}

function tiledFactor(inputs: number, epsilon: number): string {
  const squares = [0, 1, 2, 3].map((lane) => `squaresOfLane[row * ${DEPTH}u + ${lane}u]`).join(' + ');
  return `inverseSqrt((${squares}) / ${inputs}.0 + ${epsilon})`;
}

/** RMSNorm alone, of rows whose products come later. */
export function normKernel(columns: number, epsilon: number): KernelSource {
  return {
    label: 'norm',
    bindings: [
      RUN,
      { name: 'x', kind: 'read', type: 'array<vec4f>' },
      { name: 'norm', kind: 'read', type: 'array<vec4f>' },
      { name: 'out', kind: 'write', type: 'array<vec4f>' },
    ],
    code: `${RUN_STRUCT}
const COLUMNS4 = ${columns / 4}u;
var<workgroup> squaresOfLane : array<f32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let start = (run.firstRow + group.x) * COLUMNS4;
  var squares = 0.0;
  for (var v = lane; v < COLUMNS4; v += 64u) { squares += dot(x[start + v], x[start + v]); }
  squaresOfLane[lane] = squares;
  workgroupBarrier();
  squares = 0.0;
  for (var i = 0u; i < 64u; i++) { squares += squaresOfLane[i]; }
  let factor = inverseSqrt(squares / ${columns}.0 + ${epsilon});
  for (var v = lane; v < COLUMNS4; v += 64u) {
    out[(run.outRow + group.x) * COLUMNS4 + v] = x[start + v] * norm[v] * factor;
  }
}`,
  };
}
