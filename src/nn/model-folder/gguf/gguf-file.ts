/**
 * The weights of a Llama-type GGUF file under Hugging Face's tensor names. Such files hold the rows of the query and
 * key projections interleaved pair by pair; they are put back here, so that nothing else knows of it.
 */
import { WeightError } from '../errors.ts';
import type { FileBytes } from '../file-bytes.ts';
import { refuseInfinite } from '../safetensors.ts';
import { GROUP_VALUES, groupValues } from '../stored-rows.ts';
import type { StoredMatrix, TensorFile } from '../tensor-file.ts';
import type { Groups } from './block-formats.ts';
import { type GgufHeader, type GgufTensor, type GgufValue, parseGgufHeader } from './gguf-header.ts';

const OF_BLOCK: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};
const OUTSIDE: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};
const BLOCK_TENSOR = /^blk\.(\d{1,3})\.([a-z_]+)\.(weight|bias)$/;

/** The tensors of one file, each read and decoded when it is asked for. */
export class GgufFile implements TensorFile {
  private readonly tensors = new Map<string, GgufTensor>();

  private constructor(
    readonly file: string,
    private readonly bytes: FileBytes,
    private readonly header: GgufHeader,
  ) {
    for (const tensor of header.tensors.values()) {
      const name = huggingFaceName(tensor.name);
      if (name === null) throw new WeightError(file, tensor.name, 'is no tensor of a Llama model');
      this.tensors.set(name, tensor);
    }
  }

  /** @throws {WeightError} if the file is damaged, of another format, or holds tensors of another architecture. */
  static parse(bytes: FileBytes, file: string): GgufFile {
    return new GgufFile(file, bytes, parseGgufHeader(bytes, file));
  }

  get metadata(): ReadonlyMap<string, GgufValue> {
    return this.header.metadata;
  }

  get names(): readonly string[] {
    return [...this.tensors.keys()];
  }

  /** The names of the number formats in it, each once. */
  get formats(): readonly string[] {
    return [...new Set([...this.tensors.values()].map(({ format }) => format.name))].sort();
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.tensor(name).shape;
  }

  floats(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
    const tensor = this.tensorOf(name, shape);
    const values = this.inOrder(decoded(tensor, this.view(tensor)), tensor);
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i]))
        throw new WeightError(this.file, tensor.name, `value ${i} is ${values[i]}`);
    }
    return values;
  }

  stored(name: string, shape: readonly [number, number]): StoredMatrix {
    const tensor = this.tensorOf(name, shape);
    const { format, size } = tensor;
    if (format.name === 'F16' || format.name === 'BF16') {
      const values = new Uint16Array(this.view(tensor).buffer);
      const kind = format.name === 'F16' ? 'f16' : 'bf16';
      refuseInfinite(values, kind, this.file, tensor.name);
      return { format: kind, values: this.inOrder(values, tensor) };
    }
    if (format.bits === undefined) return { format: 'f32', values: this.floats(name, shape) };
    const { quants, scale, least } = groupsOf(format, this.view(tensor), size);
    for (const [i, value] of scale.entries()) {
      if (!Number.isFinite(value) || !Number.isFinite(least[i]))
        throw new WeightError(this.file, tensor.name, `the scale of group ${i} is not finite`);
    }
    return {
      format: format.bits === 4 ? 'q4' : 'q8',
      values: this.inOrder(quants, tensor),
      scale: this.inOrder(scale, tensor),
      least: format.hasLeast ? this.inOrder(least, tensor) : null,
    };
  }

  /** A copy of the tensor's bytes. */
  private view({ format, byteOffset, size }: GgufTensor): DataView<ArrayBuffer> {
    return new DataView(this.bytes.slice(byteOffset, byteOffset + (size / format.values) * format.bytes));
  }

  /** What belongs to a matrix's rows, with the rows of queries and keys where others have them. */
  private inOrder<T extends Float32Array | Uint16Array | Uint8Array>(values: T, tensor: GgufTensor): T {
    const heads = this.interleavedHeads(tensor.name);
    if (heads === null) return values;
    const rows = tensor.shape[0] ?? 0;
    if (rows % (2 * heads) !== 0) {
      const what = `has ${rows} rows, which are no pairs of ${heads} heads`;
      throw new WeightError(this.file, tensor.name, what);
    }
    return deinterleave(values, heads, rows);
  }

  private tensorOf(name: string, shape: readonly number[]): GgufTensor {
    const tensor = this.tensor(name);
    if (tensor.shape.length !== shape.length || tensor.shape.some((extent, axis) => extent !== shape[axis])) {
      const what = `has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`;
      throw new WeightError(this.file, tensor.name, what);
    }
    return tensor;
  }

  /** How many heads' rows are interleaved in this tensor; null where none are. */
  private interleavedHeads(name: string): number | null {
    const kind = BLOCK_TENSOR.exec(name)?.[2];
    if (kind !== 'attn_q' && kind !== 'attn_k') return null;
    const { metadata } = this.header;
    const heads = metadata.get('llama.attention.head_count');
    const kvHeads = metadata.get('llama.attention.head_count_kv') ?? heads;
    const count = kind === 'attn_q' ? heads : kvHeads;
    if (typeof count === 'number' && Number.isInteger(count) && count > 0) return count;
    throw new WeightError(this.file, name, `the file does not say how many heads it has (${String(count)})`);
  }

  private tensor(name: string): GgufTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new WeightError(this.file, name, 'is missing');
    return tensor;
  }
}

function huggingFaceName(name: string): string | null {
  const outside = OUTSIDE[name];
  if (outside !== undefined) return outside;
  const [, block, kind, part] = BLOCK_TENSOR.exec(name) ?? [];
  const inBlock = kind === undefined ? undefined : OF_BLOCK[kind];
  return inBlock === undefined ? null : `model.layers.${block}.${inBlock}.${part}`;
}

function decoded({ format, size }: GgufTensor, view: DataView<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (format.bits !== undefined) {
    const { quants, scale, least } = groupsOf(format, view, size);
    return groupValues(format.bits, quants, scale, least);
  }
  const values = new Float32Array(size);
  for (let to = 0, at = 0; to < size; to += format.values, at += format.bytes) {
    format.decode(view, at, values, to);
  }
  return values;
}

function groupsOf(
  format: Extract<GgufTensor['format'], { readonly bits: 4 | 8 }>,
  view: DataView<ArrayBuffer>,
  size: number,
): Groups {
  const groups = size / GROUP_VALUES;
  const out: Groups = {
    quants: new Uint8Array((size * format.bits) / 8),
    scale: new Float32Array(groups),
    least: new Float32Array(groups),
  };
  const groupsOfBlock = format.values / GROUP_VALUES;
  for (let to = 0, at = 0; to < groups; to += groupsOfBlock, at += format.bytes) {
    format.unpack(view, at, out, to);
  }
  return out;
}

/** Rows `2i` and `2i + 1` of each head become its rows `i` and `i + half`. */
function deinterleave<T extends Float32Array | Uint16Array | Uint8Array>(
  values: T,
  heads: number,
  rows: number,
): T {
  const columns = values.length / rows;
  const half = rows / heads / 2;
  const result = values.slice() as T;
  for (let row = 0; row < rows; row++) {
    const inHead = row % (2 * half);
    const source = row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    result.set(values.subarray(source * columns, (source + 1) * columns), row * columns);
  }
  return result;
}
