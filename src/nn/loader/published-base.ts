/**
 * A base as its makers publish it, without heads of ours: one GGUF file, or a folder in Hugging Face's layout. Reads
 * and describes; puts nothing on the device.
 */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { type BaseConfig, parseBaseConfig } from '../base-model/config.ts';
import { ModelSourceError, WeightError } from '../model-folder/errors.ts';
import type { Tokenizer } from '../model-folder/tokenizer.ts';
import { type ChatTemplate, PLAIN_CHAT, fixedChat } from '../model-folder/chat-pieces.ts';
import { renderedChat } from '../model-folder/chat-template.ts';
import { describeGguf } from '../model-folder/gguf/gguf-description.ts';
import { GgufFile } from '../model-folder/gguf/gguf-file.ts';
import type { FileBytes } from '../model-folder/file-bytes.ts';
import { parseJson } from '../model-folder/json-file.ts';
import type { ModelSource, ReadOptions } from '../model-folder/model-source.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { sha256OfFile } from '../model-folder/sha256.ts';
import { ShardedTensors, shardNames } from '../model-folder/sharded-tensors.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { createTokenizer } from '../model-folder/tokenizer.ts';

export interface PublishedBase {
  readonly name: string;
  /** As its makers state it; null where the files do not. */
  readonly licence: string | null;
  readonly config: BaseConfig;
  readonly trainedContextTokens: number;
  readonly tokenizer: Tokenizer;
  readonly chat: ChatTemplate;
  readonly weights: TensorFile;
  /** What the weights are read from, by name. */
  readonly weightFiles: ReadonlyMap<string, FileBytes>;
}

const CONFIG = 'config.json';
const TOKENIZER = 'tokenizer.json';
const TOKENIZER_CONFIG = 'tokenizer_config.json';
const CHAT_TEMPLATE = 'chat_template.jinja';
const WEIGHTS = 'model.safetensors';
const WEIGHT_INDEX = 'model.safetensors.index.json';

const contextSchema = z.looseObject({ max_position_embeddings: z.number().int().min(1).max(16_777_216) });
const specialToken = z.union([z.string(), z.looseObject({ content: z.string() }), z.null()]).optional();
const tokenizerConfigSchema = z.looseObject({
  bos_token: specialToken,
  eos_token: specialToken,
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() })), z.null()])
    .optional(),
});

/** @throws {WeightError} | {ModelSourceError} naming the file and what is wrong with it. */
export async function readGgufBase(
  source: ModelSource,
  file: string,
  options: ReadOptions = {},
): Promise<PublishedBase> {
  const bytes = await source.open(file, options);
  const gguf = GgufFile.parse(bytes, file);
  const described = describeGguf(gguf);
  const config = parseBaseConfig(described.config, file);
  const tokenizer = createTokenizer(described.tokenizer, described.tokenizerConfig, file);
  refuseForeignTokens(tokenizer, config, file);
  const words = { bosToken: described.bosToken, eosToken: described.eosToken };
  return {
    name: described.name ?? file.replace(/\.gguf$/i, ''),
    licence: described.licence,
    config,
    trainedContextTokens: described.trainedContextTokens,
    tokenizer,
    chat:
      described.chatTemplate === null
        ? fixedChat(PLAIN_CHAT)
        : renderedChat(described.chatTemplate, file, words),
    weights: gguf,
    weightFiles: new Map([[file, bytes]]),
  };
}

/**
 * @param name - of the folder or repository; shown to people.
 * @throws {WeightError} | {ModelSourceError} naming the file and what is wrong with it.
 */
export async function readFolderBase(
  source: ModelSource,
  name: string,
  options: ReadOptions = {},
): Promise<PublishedBase> {
  const rawConfig = parseJson(await source.read(CONFIG, options), CONFIG);
  const { config, trainedContextTokens } = parseFolderConfig(rawConfig, CONFIG);
  const rawTokenizerConfig = parseJson(await source.read(TOKENIZER_CONFIG, options), TOKENIZER_CONFIG);
  const rawTokenizer = parseJson(await source.read(TOKENIZER, options), TOKENIZER);
  const tokenizer = createTokenizer(rawTokenizer, rawTokenizerConfig, TOKENIZER);
  refuseForeignTokens(tokenizer, config, TOKENIZER);
  const { weights, weightFiles } = await openWeights(source, options);
  return {
    name,
    licence: null,
    config,
    trainedContextTokens,
    tokenizer,
    chat: await folderChat(
      source,
      parsed(tokenizerConfigSchema, rawTokenizerConfig, TOKENIZER_CONFIG),
      options,
    ),
    weights,
    weightFiles,
  };
}

/** What a `config.json` in Hugging Face's layout says. @throws {WeightError} naming the field that is wrong. */
export function parseFolderConfig(
  value: unknown,
  file: string,
): Pick<PublishedBase, 'config' | 'trainedContextTokens'> {
  return {
    config: parseBaseConfig(value, file),
    trainedContextTokens: parsed(contextSchema, value, file).max_position_embeddings,
  };
}

async function openWeights(
  source: ModelSource,
  options: ReadOptions,
): Promise<Pick<PublishedBase, 'weights' | 'weightFiles'>> {
  const indexBytes = await readOptional(source, WEIGHT_INDEX, options);
  if (indexBytes === null) {
    const bytes = await source.open(WEIGHTS, options);
    return { weights: SafetensorsFile.parse(bytes, WEIGHTS), weightFiles: new Map([[WEIGHTS, bytes]]) };
  }
  const index = parseJson(indexBytes, WEIGHT_INDEX);
  const weightFiles = new Map<string, FileBytes>();
  for (const shard of shardNames(index, WEIGHT_INDEX)) {
    weightFiles.set(shard, await source.open(shard, options));
  }
  return { weights: new ShardedTensors(index, WEIGHT_INDEX, weightFiles), weightFiles };
}

async function folderChat(
  source: ModelSource,
  config: z.infer<typeof tokenizerConfigSchema>,
  options: ReadOptions,
): Promise<ChatTemplate> {
  const { chat_template: inConfig } = config;
  const listed = Array.isArray(inConfig)
    ? inConfig.find(({ name }) => name === 'default')?.template
    : (inConfig ?? undefined);
  const own = listed === undefined ? await readOptional(source, CHAT_TEMPLATE, options) : null;
  const template = listed ?? (own === null ? undefined : new TextDecoder().decode(own));
  if (template === undefined) return fixedChat(PLAIN_CHAT);
  const words = {
    bosToken: textOf(config.bos_token),
    eosToken: textOf(config.eos_token),
  };
  return renderedChat(template, listed === undefined ? CHAT_TEMPLATE : TOKENIZER_CONFIG, words);
}

function textOf(token: z.infer<typeof specialToken>): string {
  if (token === undefined || token === null) return '';
  return typeof token === 'string' ? token : token.content;
}

function refuseForeignTokens(tokenizer: Tokenizer, config: BaseConfig, file: string): void {
  if (tokenizer.vocabularySize <= config.vocabularySize) return;
  const what = `${tokenizer.vocabularySize} tokens, but the base has ${config.vocabularySize} embeddings`;
  throw new WeightError(file, null, what);
}

async function readOptional(
  source: ModelSource,
  file: string,
  options: ReadOptions,
): Promise<ArrayBuffer | null> {
  try {
    return await source.read(file, options);
  } catch (error) {
    if (error instanceof ModelSourceError && error.kind === 'missing') return null;
    throw error;
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value, IN_WORDS);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new WeightError(file, null, `${issue.path.join('.') || 'the file'}: ${issue.message}`);
}

/**
 * Names the exact set of weights, whatever the files are called: SHA-256 over the SHA-256 of each.
 *
 * @param known - SHA-256 by file, of those that were checked before: they are not read again.
 * @param onProgress - bytes read so far.
 */
export async function hashOfWeights(
  { weightFiles }: Pick<PublishedBase, 'weightFiles'>,
  known: ReadonlyMap<string, string> = new Map(),
  onProgress?: (readBytes: number) => void,
): Promise<string> {
  const lines: string[] = [];
  let finishedBytes = 0;
  for (const [name, bytes] of weightFiles) {
    const report = (readBytes: number): void => onProgress?.(finishedBytes + readBytes);
    lines.push(known.get(name) ?? (await sha256OfFile(bytes, report)));
    finishedBytes += bytes.byteLength;
  }
  const text = new TextEncoder().encode(lines.join('\n'));
  return sha256OfFile(text.buffer);
}
