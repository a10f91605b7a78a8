/** Writes safetensors files that `safetensors.ts` and Python read. No TensorFlow.js. */
import { encodeHalves } from '../../base/fp16.ts';
import { WeightError } from './errors.ts';

export interface NamedTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Largest finite float16. */
const HALF_LIMIT = 65_504;
/** The data begins at a multiple of this, as Python's writer has it. */
const ALIGNMENT = 8;

/**
 * @param dtype - how the values are stored; F16 rounds to nearest even.
 * @throws {WeightError} if a value is not finite, or too large for F16.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, NamedTensor>>,
  dtype: 'F32' | 'F16',
  file: string,
): ArrayBuffer {
  const bytesPerValue = dtype === 'F32' ? 4 : 2;
  const limit = dtype === 'F32' ? Number.MAX_VALUE : HALF_LIMIT;
  const header: Record<string, unknown> = {};
  let dataBytes = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const at = values.findIndex((value) => !(Math.abs(value) <= limit));
    if (at >= 0)
      throw new WeightError(file, name, `value ${at} is ${values[at]}, which ${dtype} cannot hold`);
    const end = dataBytes + values.length * bytesPerValue;
    header[name] = { dtype, shape, data_offsets: [dataBytes, end] };
    dataBytes = end;
  }
  const encoded = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(encoded.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + padded + dataBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded);
  bytes.set(encoded, 8);
  let at = 8 + padded;
  for (const { values } of Object.values(tensors)) {
    if (dtype === 'F32')
      for (let i = 0; i < values.length; i++) view.setFloat32(at + 4 * i, values[i]!, true);
    else
      encodeHalves(values).forEach((bits, i) => {
        view.setUint16(at + 2 * i, bits, true);
      });
    at += values.length * bytesPerValue;
  }
  return bytes.buffer;
}
