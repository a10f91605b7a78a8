/** The base's `config.json` in Hugging Face layout: validated, bounded, with the defaults filled in. */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { WeightError } from '../model-folder/errors.ts';

const SUPPORTED_MODELS = ['llama', 'smollm3'] as const;

/** Unknown keys are ignored: real configurations carry many that the architecture does not need. */
const configSchema = z.object({
  model_type: z.enum(SUPPORTED_MODELS).default('llama'),
  hidden_act: z.literal('silu').default('silu'),
  vocab_size: z.number().int().min(1).max(1_048_576),
  hidden_size: z.number().int().min(2).max(16_384),
  num_hidden_layers: z.number().int().min(1).max(256),
  num_attention_heads: z.number().int().min(1).max(256),
  num_key_value_heads: z.number().int().min(1).max(256).optional(),
  head_dim: z.number().int().min(2).max(256).nullish(),
  intermediate_size: z.number().int().min(1).max(65_536),
  rms_norm_eps: z.number().positive().max(0.1).default(1e-6),
  rope_theta: z.number().positive().max(1e12).default(10_000),
  rope_scaling: z.null().optional(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(false),
  no_rope_layers: z
    .array(z.union([z.literal(0), z.literal(1)]))
    .max(256)
    .nullish(),
});

export interface BaseConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly epsilon: number;
  readonly ropeTheta: number;
  readonly attentionBias: boolean;
  readonly tiedHead: boolean;
  /** One flag per layer: whether it rotates queries and keys. */
  readonly layerHasRope: readonly boolean[];
}

/** The sizes of a transformer layer: a base's and GistNet's alike. */
export type LayerShape = Pick<
  BaseConfig,
  'hiddenSize' | 'heads' | 'kvHeads' | 'headDim' | 'intermediateSize' | 'epsilon' | 'attentionBias'
>;

/**
 * @param file - named in errors.
 * @throws {WeightError} naming the field that is missing, out of range or not supported.
 */
export function parseBaseConfig(value: unknown, file = 'config.json'): BaseConfig {
  const parsed = configSchema.safeParse(value, IN_WORDS);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new WeightError(file, null, `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  }
  const raw = parsed.data;
  const layers = raw.num_hidden_layers;
  const heads = raw.num_attention_heads;
  const kvHeads = raw.num_key_value_heads ?? heads;
  const headDim = raw.head_dim ?? raw.hidden_size / heads;
  if (heads % kvHeads !== 0) {
    throw new WeightError(file, null, `${heads} heads are not a multiple of ${kvHeads} key-value heads`);
  }
  if (!Number.isInteger(headDim / 2)) {
    throw new WeightError(file, null, `head_dim ${headDim} is not an even whole number`);
  }
  const rope = raw.no_rope_layers ?? new Array<number>(layers).fill(1);
  if (rope.length !== layers) {
    throw new WeightError(file, null, `no_rope_layers has ${rope.length} numbers for ${layers} layers`);
  }
  return {
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: raw.intermediate_size,
    epsilon: raw.rms_norm_eps,
    ropeTheta: raw.rope_theta,
    attentionBias: raw.attention_bias,
    tiedHead: raw.tie_word_embeddings,
    layerHasRope: rope.map((flag) => flag === 1),
  };
}

/** How many weights a base of this configuration has; a tied head counts once. */
export function parameterCount(config: BaseConfig): number {
  const { vocabularySize, hiddenSize, layers, heads, kvHeads, headDim, intermediateSize } = config;
  const qkvColumns = (heads + 2 * kvHeads) * headDim;
  const attention = hiddenSize * qkvColumns + heads * headDim * hiddenSize;
  const biases = config.attentionBias ? qkvColumns : 0;
  const layer = attention + biases + 3 * hiddenSize * intermediateSize + 2 * hiddenSize;
  const embeddings = vocabularySize * hiddenSize * (config.tiedHead ? 1 : 2);
  return embeddings + layers * layer + hiddenSize;
}
