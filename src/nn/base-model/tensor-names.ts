/** How a checkpoint in Hugging Face's layout names what it holds. */
import type { BaseConfig } from './config.ts';

const EMBEDDINGS = 'model.embed_tokens';

/** Names of matrices without `.weight`. */
export function baseTensors({ tiedHead }: Pick<BaseConfig, 'tiedHead'>) {
  return {
    embeddings: EMBEDDINGS,
    layer: (index: number) => `model.layers.${index}`,
    norm: 'model.norm.weight',
    head: tiedHead ? EMBEDDINGS : 'lm_head',
  };
}

/** @param prefix - of a layer. Matrices without `.weight`. */
export function layerTensors(prefix: string) {
  return {
    inputNorm: `${prefix}.input_layernorm.weight`,
    q: `${prefix}.self_attn.q_proj`,
    k: `${prefix}.self_attn.k_proj`,
    v: `${prefix}.self_attn.v_proj`,
    output: `${prefix}.self_attn.o_proj`,
    postNorm: `${prefix}.post_attention_layernorm.weight`,
    gate: `${prefix}.mlp.gate_proj`,
    up: `${prefix}.mlp.up_proj`,
    down: `${prefix}.mlp.down_proj`,
  };
}
