/**
 * What a GGUF file's metadata say of the model, in the words of a Hugging Face folder: `config.json`,
 * `tokenizer.json`, `tokenizer_config.json`. So one validation and one tokenizer serve both formats.
 */
import { WeightError } from '../errors.ts';
import type { GgufFile } from './gguf-file.ts';
import type { GgufValue } from './gguf-header.ts';

const CONTROL_TOKEN = 3;
const USER_DEFINED_TOKEN = 4;

/** How a text is cut before merging, by GGUF's `tokenizer.ggml.pre`. */
const PRE_TOKENIZERS: Readonly<Record<string, readonly object[]>> = {
  default: [byteLevel(true)],
  'gpt-2': [byteLevel(true)],
  smollm: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
  'llama-bpe': [
    {
      type: 'Split',
      pattern: {
        Regex:
          "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      },
      behavior: 'Isolated',
      invert: false,
    },
    byteLevel(false),
  ],
};

function byteLevel(usesRegex: boolean): object {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: usesRegex };
}

export interface GgufDescription {
  readonly name: string | null;
  readonly licence: string | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly trainedContextTokens: number;
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
  /** Texts of the special tokens; empty where the file names none. */
  readonly bosToken: string;
  readonly eosToken: string;
  /** A Jinja template, or null where the file has none. */
  readonly chatTemplate: string | null;
}

/** @throws {WeightError} naming the entry that is missing, of another type or not supported, and what would work. */
export function describeGguf(gguf: GgufFile): GgufDescription {
  const read = new Metadata(gguf);
  const architecture = read.text('general.architecture');
  if (architecture !== 'llama') {
    throw new WeightError(gguf.file, null, `architecture "${architecture}" is not supported; "llama" is`);
  }
  const scaling = read.optional('llama.rope.scaling.type', 'string') ?? 'none';
  if (scaling !== 'none')
    throw new WeightError(gguf.file, null, `RoPE scaling "${scaling}" is not supported`);
  const hiddenSize = read.whole('llama.embedding_length');
  const heads = read.whole('llama.attention.head_count');
  const ropeWidth = read.optional('llama.rope.dimension_count', 'number') ?? hiddenSize / heads;
  const tokens = read.texts('tokenizer.ggml.tokens');
  return {
    name: read.optional('general.name', 'string'),
    licence: read.optional('general.license', 'string'),
    config: {
      model_type: 'llama',
      vocab_size: tokens.length,
      hidden_size: hiddenSize,
      num_hidden_layers: read.whole('llama.block_count'),
      num_attention_heads: heads,
      num_key_value_heads: read.optional('llama.attention.head_count_kv', 'number') ?? heads,
      head_dim: ropeWidth,
      intermediate_size: read.whole('llama.feed_forward_length'),
      rms_norm_eps: read.number('llama.attention.layer_norm_rms_epsilon'),
      rope_theta: read.optional('llama.rope.freq_base', 'number') ?? 10_000,
      attention_bias: gguf.has('model.layers.0.self_attn.q_proj.bias'),
      tie_word_embeddings: !gguf.has('lm_head.weight'),
    },
    trainedContextTokens: read.whole('llama.context_length'),
    tokenizer: tokenizerOf(read, tokens, gguf.file),
    tokenizerConfig: { add_prefix_space: false },
    bosToken: tokens[read.optional('tokenizer.ggml.bos_token_id', 'number') ?? -1] ?? '',
    eosToken: tokens[read.optional('tokenizer.ggml.eos_token_id', 'number') ?? -1] ?? '',
    chatTemplate: read.optional('tokenizer.chat_template', 'string'),
  };
}

function tokenizerOf(read: Metadata, tokens: readonly string[], file: string): object {
  const model = read.text('tokenizer.ggml.model');
  if (model !== 'gpt2') {
    const what = `tokenizer "${model}" is not supported; byte-level BPE ("gpt2") is`;
    throw new WeightError(file, null, what);
  }
  const pre = read.optional('tokenizer.ggml.pre', 'string') ?? 'default';
  const pretokenizers = Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre] : undefined;
  if (pretokenizers === undefined) {
    const known = Object.keys(PRE_TOKENIZERS).join(', ');
    throw new WeightError(file, null, `pre-tokenizer "${pre}" is not supported; ${known} are`);
  }
  const types = read.numbers('tokenizer.ggml.token_type', tokens.length);
  const addedTokens = [...tokens.entries()]
    .filter(([id]) => types[id] === CONTROL_TOKEN || types[id] === USER_DEFINED_TOKEN)
    .map(([id, content]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: types[id] === CONTROL_TOKEN,
    }));
  return {
    version: '1.0',
    added_tokens: addedTokens,
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    post_processor: null,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: read.texts('tokenizer.ggml.merges'),
      ignore_merges: pre === 'llama-bpe',
    },
  };
}

/** Typed access to untrusted metadata. */
class Metadata {
  constructor(private readonly gguf: GgufFile) {}

  optional(key: string, type: 'string'): string | null;
  optional(key: string, type: 'number'): number | null;
  optional(key: string, type: 'string' | 'number'): GgufValue | null {
    const value = this.gguf.metadata.get(key);
    if (value === undefined) return null;
    if (typeof value !== type) throw this.error(key, `is ${describe(value)}, not a ${type}`);
    return value;
  }

  text(key: string): string {
    return this.optional(key, 'string') ?? this.missing(key);
  }

  number(key: string): number {
    return this.optional(key, 'number') ?? this.missing(key);
  }

  whole(key: string): number {
    const value = this.number(key);
    if (!Number.isSafeInteger(value) || value < 1)
      throw this.error(key, `is ${value}, not a positive whole number`);
    return value;
  }

  texts(key: string): readonly string[] {
    const value = this.gguf.metadata.get(key) ?? this.missing(key);
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      throw this.error(key, 'is not a list of texts');
    }
    return value;
  }

  numbers(key: string, length: number): readonly number[] {
    const value = this.gguf.metadata.get(key) ?? this.missing(key);
    if (
      !Array.isArray(value) ||
      value.length !== length ||
      !value.every((item) => typeof item === 'number')
    ) {
      throw this.error(key, `is not a list of ${length} numbers`);
    }
    return value;
  }

  private missing(key: string): never {
    throw this.error(key, 'is missing');
  }

  private error(key: string, what: string): WeightError {
    return new WeightError(this.gguf.file, null, `metadata "${key}" ${what}`);
  }
}

function describe(value: GgufValue): string {
  return typeof value === 'object' ? 'a list' : `${typeof value} ${String(value)}`;
}
