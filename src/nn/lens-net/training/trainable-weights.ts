/**
 * The weights of a LensNet under training, as one flat array on the CPU: so a snapshot is a copy, the optimiser
 * is a loop, and a lost GPU takes nothing with it. Linear weights are kept as `[in, out]`, as the device wants
 * them; files have them as `[out, in]`.
 */
import { slotColumns, slotShapeOf } from '../input.ts';
import type { LensNetConfig } from '../../model-folder/manifest.ts';
import { encodeSafetensors } from '../../model-folder/safetensors-writer.ts';
import type { NamedTensor } from '../../model-folder/safetensors-writer.ts';
import type { SafetensorsFile } from '../../model-folder/safetensors.ts';

/** What fixes the shapes of a LensNet. */
export interface LensShape {
  readonly hiddenSize: number;
  /** In every norm. */
  readonly epsilon: number;
  readonly config: LensNetConfig;
}

export interface Parameter {
  readonly name: string;
  /** As on the device: linear weights `[in, out]`, vectors `[n]`, tables `[rows, columns]`. */
  readonly shape: readonly number[];
  /** First value in the flat array. */
  readonly offset: number;
  readonly size: number;
  /** The file has it the other way round. */
  readonly isTransposed: boolean;
}

export class LensParameters {
  readonly list: readonly Parameter[];
  readonly values: Float32Array<ArrayBuffer>;

  /** @throws {WeightError} if the file lacks a tensor, has one of another shape, or holds a value not finite. */
  constructor(shape: LensShape, file: SafetensorsFile) {
    this.list = layOut(shape, file);
    const last = this.list.at(-1)!;
    this.values = new Float32Array(last.offset + last.size);
    for (const parameter of this.list) {
      const inFile = fileShape(parameter);
      const values = file.floats(parameter.name, inFile);
      this.values.set(
        parameter.isTransposed ? transpose(values, inFile[0]!, inFile[1]!) : values,
        parameter.offset,
      );
    }
  }

  /**
   * A float16 safetensors file of values laid out as these parameters are.
   *
   * @throws {WeightError} if a value does not fit float16.
   */
  encode(values: Float32Array, file: string): ArrayBuffer {
    const tensors: Record<string, NamedTensor> = {};
    for (const parameter of this.list) {
      const { name, shape, offset, size, isTransposed } = parameter;
      const own = values.slice(offset, offset + size);
      const stored = isTransposed ? transpose(own, shape[0]!, shape[1]!) : own;
      tensors[name] = { shape: fileShape(parameter), values: stored };
    }
    return encodeSafetensors(tensors, 'F16', file);
  }
}

function fileShape({ shape, isTransposed }: Parameter): readonly number[] {
  return isTransposed ? [shape[1]!, shape[0]!] : shape;
}

/** The names and shapes of docs/models.md, one after the other. */
function layOut({ hiddenSize, config }: LensShape, file: SafetensorsFile): readonly Parameter[] {
  const { width, tailQueries, tailTokens } = config;
  const list: Parameter[] = [];
  const add = (name: string, shape: readonly number[], isTransposed = false): void => {
    const previous = list.at(-1);
    const offset = previous === undefined ? 0 : previous.offset + previous.size;
    const size = shape.reduce((product, extent) => product * extent, 1);
    list.push({ name, shape, offset, size, isTransposed });
  };
  const linear = (name: string, inputs: number, outputs: number, hasBias: boolean): void => {
    add(`${name}.weight`, [inputs, outputs], true);
    if (hasBias) add(`${name}.bias`, [outputs]);
  };
  const attention = (prefix: string): void => {
    for (const part of ['q', 'k', 'v']) linear(`${prefix}.${part}_proj`, width, width, true);
    linear(`${prefix}.o_proj`, width, width, false);
  };
  const mlp = (prefix: string): void => {
    // The hidden size is the file's: the manifest does not name it.
    const hidden = file.shape(`${prefix}.gate_proj.weight`)[0] ?? 0;
    linear(`${prefix}.gate_proj`, width, hidden, false);
    linear(`${prefix}.up_proj`, width, hidden, false);
    linear(`${prefix}.down_proj`, hidden, width, false);
  };
  const norms = (...names: string[]): void => {
    for (const name of names) add(`${name}.weight`, [width]);
  };
  const tail = (): void => {
    add('tail_pos', [tailTokens, width]);
    add('tail_queries', [tailQueries, width]);
  };
  const selfBlock = (name: string): void => {
    norms(`${name}.input_layernorm`);
    attention(`${name}.self_attn`);
    norms(`${name}.post_attention_layernorm`);
    mlp(`${name}.mlp`);
  };
  const crossBlock = (name: string): void => {
    norms(...['q', 'kv', 'mlp'].map((part) => `${name}.norm_${part}`));
    attention(`${name}.attn`);
    mlp(`${name}.mlp`);
  };
  linear('slot_in', slotColumns(slotShapeOf(hiddenSize, config)), width, true);
  linear('tail_in', hiddenSize, width, true);
  switch (config.variant) {
    case 'dual-cross-attention':
      if (config.tailGists !== false) {
        tail();
        selfBlock('tail_block');
      }
      crossBlock('read');
      break;
    case 'transformer':
      tail();
      for (let layer = 0; layer < config.layers; layer++) selfBlock(`layers.${layer}`);
      norms('tail_norm');
      break;
    case 'perceiver':
      tail();
      selfBlock('tail_block');
      norms(...['in', 'latent', 'mlp'].map((part) => `compete.norm_${part}`));
      for (const part of ['q', 'k', 'v']) linear(`compete.${part}_proj`, width, width, false);
      for (const side of ['ih', 'hh']) {
        add(`compete.gru.weight_${side}`, [width, 3 * width], true);
        add(`compete.gru.bias_${side}`, [3 * width]);
      }
      mlp('compete.mlp');
      break;
    default:
      throw new Error(config satisfies never);
  }
  if (config.variant !== 'transformer') {
    crossBlock('score');
    add('null', [1, width]);
  }
  linear('match_q', width, width, false);
  linear('match_k', width, width, false);
  add('match_scale', [1]);
  norms('head_norm');
  linear('head', width, 1, true);
  return list;
}

/** `[rows, columns]` → `[columns, rows]`. */
function transpose(source: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(source.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = source[row * columns + column]!;
    }
  }
  return result;
}
