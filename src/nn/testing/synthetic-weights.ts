/** Test support: safetensors files of seeded random weights, so that tests can choose any architecture. */
import { K } from '../../core/tree/ids.ts';
import { type BaseConfig, parseBaseConfig } from '../base-model/config.ts';
import { encodeSafetensors } from '../model-folder/safetensors-writer.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';

type Shapes = Record<string, number[]>;

/** Norm weights near one, matrices scaled so that activations neither die nor explode. */
function randomFile(shapes: Shapes, seed: number): SafetensorsFile {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const isNorm = name.includes('norm');
    const scale = isNorm ? 0.1 : 1 / Math.sqrt(shape.at(-1)!);
    const size = shape.reduce((product, extent) => product * extent, 1);
    const values = Float32Array.from({ length: size }, () => (isNorm ? 1 : 0) + scale * next());
    return [name, { shape, values }] as const;
  });
  const file = 'synthetic.safetensors';
  return SafetensorsFile.parse(encodeSafetensors(Object.fromEntries(tensors), 'F32', file), file);
}

export function randomValues(size: number, seed: number): Float32Array {
  return randomFile({ values: [size, 1] }, seed).floats('values', [size, 1]);
}

/** The size of the embedded base, unless changed. */
export function syntheticConfig(changes: Record<string, unknown> = {}): BaseConfig {
  return parseBaseConfig({
    vocab_size: 2048,
    hidden_size: 128,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    head_dim: 32,
    intermediate_size: 384,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    attention_bias: true,
    tie_word_embeddings: true,
    ...changes,
  });
}

function layerShapes(prefix: string, config: BaseConfig): Shapes {
  const { hiddenSize: d, heads, kvHeads, headDim, intermediateSize, attentionBias } = config;
  const shapes: Shapes = {
    [`${prefix}.input_layernorm.weight`]: [d],
    [`${prefix}.post_attention_layernorm.weight`]: [d],
    [`${prefix}.self_attn.q_proj.weight`]: [heads * headDim, d],
    [`${prefix}.self_attn.k_proj.weight`]: [kvHeads * headDim, d],
    [`${prefix}.self_attn.v_proj.weight`]: [kvHeads * headDim, d],
    [`${prefix}.self_attn.o_proj.weight`]: [d, heads * headDim],
    [`${prefix}.mlp.gate_proj.weight`]: [intermediateSize, d],
    [`${prefix}.mlp.up_proj.weight`]: [intermediateSize, d],
    [`${prefix}.mlp.down_proj.weight`]: [d, intermediateSize],
  };
  if (attentionBias) {
    shapes[`${prefix}.self_attn.q_proj.bias`] = [heads * headDim];
    shapes[`${prefix}.self_attn.k_proj.bias`] = [kvHeads * headDim];
    shapes[`${prefix}.self_attn.v_proj.bias`] = [kvHeads * headDim];
  }
  return shapes;
}

export function syntheticBase(config: BaseConfig, seed = 1): SafetensorsFile {
  const shapes: Shapes = {
    'model.embed_tokens.weight': [config.vocabularySize, config.hiddenSize],
    'model.norm.weight': [config.hiddenSize],
  };
  for (let i = 0; i < config.layers; i++) Object.assign(shapes, layerShapes(`model.layers.${i}`, config));
  return randomFile(shapes, seed);
}

export const SYNTHETIC_GIST_NET = {
  blocks: 2,
  contextChildren: K,
  attention: 'bidirectional',
  pooling: 'queries',
  queries: 4,
  version: 1,
} as const;

export function syntheticGistNet(config: BaseConfig, seed = 2): SafetensorsFile {
  const { hiddenSize: d } = config;
  const shapes: Shapes = {};
  for (const set of ['lod1', 'lod2']) {
    for (let i = 0; i < SYNTHETIC_GIST_NET.blocks; i++) {
      Object.assign(shapes, layerShapes(`${set}.blocks.${i}`, config));
    }
    shapes[`${set}.norm.weight`] = [d];
    shapes[`${set}.queries`] = [SYNTHETIC_GIST_NET.queries, d];
    shapes[`${set}.mlp.up.weight`] = [4 * d, SYNTHETIC_GIST_NET.queries * d];
    shapes[`${set}.mlp.up.bias`] = [4 * d];
    shapes[`${set}.mlp.down.weight`] = [d, 4 * d];
    shapes[`${set}.mlp.down.bias`] = [d];
    shapes[`${set}.scale`] = [1];
  }
  return randomFile(shapes, seed);
}

export const SYNTHETIC_LENS_NET = {
  variant: 'dual-cross-attention',
  width: 128,
  heads: 4,
  tailQueries: 8,
  tailTokens: 64,
  version: 1,
} as const;

export function syntheticLensNet(
  hiddenSize: number,
  seed = 3,
  size: {
    readonly width: number;
    readonly tailQueries: number;
    readonly tailTokens: number;
  } = SYNTHETIC_LENS_NET,
): SafetensorsFile {
  const { width: w, tailQueries, tailTokens } = size;
  const shapes: Shapes = {
    'slot_in.weight': [w, 2 * hiddenSize + 12],
    'slot_in.bias': [w],
    'tail_in.weight': [w, hiddenSize],
    'tail_in.bias': [w],
    tail_pos: [tailTokens, w],
    tail_queries: [tailQueries, w],
    'tail_block.input_layernorm.weight': [w],
    'tail_block.post_attention_layernorm.weight': [w],
    null: [1, w],
    'match_q.weight': [w, w],
    'match_k.weight': [w, w],
    match_scale: [1],
    'head_norm.weight': [w],
    'head.weight': [1, w],
    'head.bias': [1],
  };
  for (const attention of ['tail_block.self_attn', 'read.attn', 'score.attn']) {
    for (const part of ['q', 'k', 'v', 'o']) shapes[`${attention}.${part}_proj.weight`] = [w, w];
    for (const part of ['q', 'k', 'v']) shapes[`${attention}.${part}_proj.bias`] = [w];
  }
  for (const mlp of ['tail_block.mlp', 'read.mlp', 'score.mlp']) {
    shapes[`${mlp}.gate_proj.weight`] = [2 * w, w];
    shapes[`${mlp}.up_proj.weight`] = [2 * w, w];
    shapes[`${mlp}.down_proj.weight`] = [w, 2 * w];
  }
  for (const block of ['read', 'score']) {
    for (const norm of ['norm_q', 'norm_kv', 'norm_mlp']) shapes[`${block}.${norm}.weight`] = [w];
  }
  return randomFile(shapes, seed);
}
