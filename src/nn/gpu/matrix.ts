/** Weights on a WebGPU device, as their file stores them, and how a kernel reads them. */
import { GROUP_VALUES, groupNumbers, storedRows } from '../model-folder/stored-rows.ts';
import type { StoredMatrix } from '../model-folder/tensor-file.ts';
import type { GpuBuffers } from './buffers.ts';
import type { KernelBinding } from './kernel.ts';

export type WeightFormat = StoredMatrix['format'];

/** Matrices of the same inputs, their rows one behind the other. */
export interface GpuMatrix {
  readonly format: WeightFormat;
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: GPUBuffer;
  /** `[outputs, inputs / 32]` scale and least of each group; null for floats. */
  readonly scales: GPUBuffer | null;
  /** `[outputs]` or null. */
  readonly bias: GPUBuffer | null;
}

function isGrouped(format: WeightFormat): boolean {
  return format === 'q8' || format === 'q4';
}

/** A matrix of which `outputs` rows are stored. */
export interface MatrixPart {
  readonly stored: StoredMatrix;
  readonly outputs: number;
}

/**
 * The format that holds all of them and loses nothing: their own, 8 bits for groups of 4 and 8, float32 for what has
 * nothing in common.
 */
function commonFormat(formats: readonly WeightFormat[]): WeightFormat {
  const [first = 'f32'] = formats;
  if (formats.every((format) => format === first)) return first;
  return formats.every(isGrouped) ? 'q8' : 'f32';
}

/** @param bias - `[outputs of all]` or null. @throws {BackendError} if the device has no room for it in one buffer. */
export function uploadMatrix(
  buffers: GpuBuffers,
  parts: readonly MatrixPart[],
  inputs: number,
  bias: Float32Array | null = null,
): GpuMatrix {
  const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
  const format = commonFormat(parts.map(({ stored }) => stored.format));
  const values = parts.map((part) => valuesAs(format, part, inputs));
  return {
    format,
    inputs,
    outputs,
    weight: buffers.filled(joined(values)),
    scales: isGrouped(format) ? buffers.filled(joinedScales(parts)) : null,
    bias: bias === null ? null : buffers.filled(bias),
  };
}

function valuesAs(format: WeightFormat, { stored, outputs }: MatrixPart, inputs: number): Uint8Array {
  if (stored.format === format) return bytesOf(stored.values);
  if (format === 'q8' && stored.format === 'q4') return bytesOf(groupNumbers(4, stored.values));
  return bytesOf(storedRows(stored, inputs, 0, outputs));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What is alone is not copied. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function joinedScales(parts: readonly MatrixPart[]): Float32Array {
  const grouped = parts.flatMap(({ stored }) => ('scale' in stored ? [stored] : []));
  const pairs = new Float32Array(2 * grouped.reduce((sum, { scale }) => sum + scale.length, 0));
  let at = 0;
  for (const { scale, least } of grouped) {
    for (let i = 0; i < scale.length; i++) {
      pairs[at++] = scale[i]!;
      pairs[at++] = least?.[i] ?? 0;
    }
  }
  return pairs;
}

const STORED_TYPES = {
  f32: 'array<vec4f>',
  f16: 'array<vec2u>',
  bf16: 'array<vec2u>',
  q8: 'array<u32>',
  q4: 'array<u32>',
} as const satisfies Record<WeightFormat, string>;

/** What a kernel binds to read weights of a format. */
export function weightBindings(format: WeightFormat): readonly KernelBinding[] {
  const weight: KernelBinding = { name: 'weight', kind: 'read', type: STORED_TYPES[format] };
  if (!isGrouped(format)) return [weight];
  return [weight, { name: 'scales', kind: 'read', type: 'array<vec2f>' }];
}

/**
 * WGSL of `weightAt(output, v)`: the weights `4v..4v+3` of an output. `unpack2x16float` needs no feature of the device,
 * so that float16 weights are read the same way on all.
 */
export function weightCode(format: WeightFormat, inputs: number): string {
  return `
const INPUTS4 = ${inputs / 4}u;
${isGrouped(format) ? GROUPED_CODE(inputs) : ''}
fn weightAt(output : u32, v : u32) -> vec4f {${READ_CODE[format]}
}`;
}

const GROUPED_CODE = (inputs: number): string => `const GROUPS = ${inputs / GROUP_VALUES}u;
fn bytesOf(word : u32) -> vec4f {
  return vec4f(vec4i(vec4u(word << 24u, word << 16u, word << 8u, word)) >> vec4u(24u));
}`;

const READ_CODE: Readonly<Record<WeightFormat, string>> = {
  f32: `
  return weight[output * INPUTS4 + v];`,
  f16: `
  let two = weight[output * INPUTS4 + v];
  return vec4f(unpack2x16float(two.x), unpack2x16float(two.y));`,
  bf16: `
  let two = weight[output * INPUTS4 + v];
  return bitcast<vec4f>(vec4u(two.x << 16u, two.x & 0xffff0000u, two.y << 16u, two.y & 0xffff0000u));`,
  q8: `
  let scale = scales[output * GROUPS + v / 8u];
  return bytesOf(weight[output * INPUTS4 + v]) * scale.x + scale.y;`,
  // Of a group's 16 bytes, the low halves are its first 16 numbers and the high halves its last.
  q4: `
  let group = output * GROUPS + v / 8u;
  let word = weight[group * 4u + (v & 3u)];
  return bytesOf((word >> (v & 4u)) & 0x0f0f0f0fu) * scales[group].x + scales[group].y;`,
};
