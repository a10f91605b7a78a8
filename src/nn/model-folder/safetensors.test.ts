import { describe, expect, it } from 'vitest';
import { WeightError } from './errors.ts';
import { SafetensorsFile } from './safetensors.ts';

function fileOf(header: unknown, dataBytes: number | Uint8Array): ArrayBuffer {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const data = typeof dataBytes === 'number' ? new Uint8Array(dataBytes) : dataBytes;
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes.buffer;
}

const parse = (buffer: ArrayBuffer): SafetensorsFile => SafetensorsFile.parse(buffer, 'x.safetensors');
const tensor = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('reading', () => {
  it('decodes every float type, whatever the alignment', () => {
    const data = new Uint8Array(1 + 8 + 4 + 4);
    const view = new DataView(data.buffer);
    view.setFloat32(1, 1.5, true);
    view.setFloat32(5, -2, true);
    view.setUint16(9, 0x3c00, true);
    view.setUint16(11, 0x8001, true);
    view.setUint16(13, 0x4049, true);
    view.setUint16(15, 0xbf80, true);
    const file = parse(
      fileOf(
        {
          __metadata__: { format: 'pt' },
          bytes: tensor('U8', [1], 0, 1),
          single: tensor('F32', [2, 1], 1, 9),
          half: tensor('F16', [2], 9, 13),
          brain: tensor('BF16', [2], 13, 17),
        },
        data,
      ),
    );
    expect([...file.floats('single', [2, 1])]).toEqual([1.5, -2]);
    expect([...file.floats('half', [2])]).toEqual([1, -(2 ** -24)]);
    expect([...file.floats('brain', [2])]).toEqual([3.140625, -1]);
    expect(file.names).toEqual(['bytes', 'single', 'half', 'brain']);
  });

  it('names the tensor that is missing or has another shape', () => {
    const file = parse(fileOf({ a: tensor('F32', [2], 0, 8) }, 8));
    expect(() => file.floats('b', [2])).toThrow('x.safetensors, tensor "b": is missing');
    expect(() => file.floats('a', [1, 2])).toThrow('tensor "a": shape [2], expected [1, 2]');
  });

  it.each([
    ['F16', 0x7c00, 2],
    ['F16', 0x7e00, 2],
    ['BF16', 0x7fc0, 2],
  ])('refuses NaN and infinities in %s', (dtype, bits, bytes) => {
    const data = new Uint8Array(bytes);
    new DataView(data.buffer).setUint16(0, bits, true);
    const file = parse(fileOf({ a: tensor(dtype, [1], 0, bytes) }, data));
    expect(() => file.floats('a', [1])).toThrow(WeightError);
  });
});

describe('fault 23: a model file that lies about its header, tensors, types or shapes', () => {
  const exabyte = new ArrayBuffer(64);
  new DataView(exabyte).setBigUint64(0, 2n ** 63n, true);
  const cases: [string, ArrayBuffer, RegExp][] = [
    ['empty', new ArrayBuffer(0), /0 bytes long/],
    ['header over the cap', exabyte, /over the cap/],
    ['header past the end', fileOf({}, 0).slice(0, 9), /past the file's end/],
    ['not JSON', fileOf('{{', 0), /not JSON/],
    ['a list', fileOf([], 0), /not a JSON object/],
    ['entry not an object', fileOf({ a: 5 }, 0), /not an object/],
    ['unknown dtype', fileOf({ a: tensor('F8', [1], 0, 1) }, 1), /unknown dtype "F8"/],
    ['inherited dtype', fileOf({ a: tensor('constructor', [1], 0, 1) }, 1), /unknown dtype/],
    ['negative extent', fileOf({ a: tensor('F32', [-1], 0, 4) }, 4), /shape is not/],
    ['fractional extent', fileOf({ a: tensor('F32', [0.5], 0, 4) }, 4), /shape is not/],
    ['too many dimensions', fileOf({ a: tensor('F32', Array(9).fill(1), 0, 4) }, 4), /shape is not/],
    ['exabyte shape', fileOf({ a: tensor('F32', [2 ** 30, 2 ** 30], 0, 4) }, 4), /does not fill/],
    [
      'overflowing shape',
      fileOf({ a: tensor('F32', [2 ** 52, 2 ** 52, 2 ** 52], 0, 0) }, 0),
      /does not fill/,
    ],
    ['shape smaller than its bytes', fileOf({ a: tensor('F32', [1], 0, 8) }, 8), /does not fill/],
    ['reversed offsets', fileOf({ a: tensor('F32', [1], 4, 0) }, 4), /lie outside/],
    ['offsets past the end', fileOf({ a: tensor('F32', [2], 0, 8) }, 4), /lie outside/],
    ['unsafe offsets', fileOf({ a: tensor('F32', [1], 0, 2 ** 60) }, 4), /pair of whole numbers/],
    [
      'overlap',
      fileOf({ a: tensor('F32', [2], 0, 8), b: tensor('F32', [1], 4, 8) }, 8),
      /tensor "b": overlaps its neighbour by 4 bytes/,
    ],
    [
      'gap',
      fileOf({ a: tensor('F32', [1], 0, 4), b: tensor('F32', [1], 8, 12) }, 12),
      /tensor "b": leaves a gap of 4 bytes/,
    ],
    ['trailing bytes', fileOf({ a: tensor('F32', [1], 0, 4) }, 6), /2 bytes at the end/],
  ];
  it.each(cases)('%s', (_, buffer, message) => {
    expect(() => parse(buffer)).toThrow(WeightError);
    expect(() => parse(buffer)).toThrow(message);
  });

  it('survives every truncation with a typed error', () => {
    const whole = fileOf({ a: tensor('F32', [2], 0, 8) }, 8);
    for (let length = 0; length < whole.byteLength; length++) {
      expect(() => parse(whole.slice(0, length))).toThrow(WeightError);
    }
  });
});
