/**
 * Loads one model folder: manifest, then every file it needs, each checked against its size and SHA-256
 * before use. All or nothing: on failure no tensor is left behind.
 */
import { IN_WORDS } from '../../base/schema-words.ts';
import { BaseModel } from '../base-model/base-model.ts';
import { parseBaseConfig } from '../base-model/config.ts';
import { WeightError } from '../model-folder/errors.ts';
import { CentredMeanGistNet } from '../gist-net/centred-mean.ts';
import { parseJson } from '../model-folder/json-file.ts';
import { manifestSchema, type ModelManifest, neededFiles } from '../model-folder/manifest.ts';
import type { ModelSource } from '../model-folder/model-source.ts';
import { hashOfFiles, type LoadOptions, readOne, readVerified } from '../model-folder/verified-files.ts';
import type { LoadedModel } from '../ports.ts';
import { createHeads } from './heads.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { fixedChat } from '../model-folder/chat-pieces.ts';
import { createTokenizer } from '../model-folder/tokenizer.ts';

const MANIFEST = 'manifest.json';

/**
 * Load a model onto the active backend.
 *
 * @returns the model; the caller disposes it.
 * @throws {WeightError} if a file is corrupted or does not fit the others.
 * @throws {ModelSourceError} if a file cannot be had. The signal's reason if aborted.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<LoadedModel> {
  const manifest = await readManifest(source, options);
  const files = await readVerified(source, neededFiles(manifest), manifest.files, options);
  const take = (name: string): ArrayBuffer => files.get(name)!;
  const { base } = manifest;

  const config = parseBaseConfig(parseJson(take(base.config), base.config), base.config);
  if (config.hiddenSize !== manifest.hiddenSize) {
    const what = `hidden_size ${config.hiddenSize}, but the manifest says ${manifest.hiddenSize}`;
    throw new WeightError(base.config, null, what);
  }
  const tokenizer = createTokenizer(
    parseJson(take(base.tokenizer), base.tokenizer),
    parseJson(take(base.tokenizerConfig), base.tokenizerConfig),
    base.tokenizer,
  );
  if (tokenizer.vocabularySize > config.vocabularySize) {
    const what = `${tokenizer.vocabularySize} tokens, but the base has ${config.vocabularySize} embeddings`;
    throw new WeightError(base.tokenizer, null, what);
  }

  const hash = await hashOfFiles(manifest.files);
  const baseModel = await BaseModel.open(config, SafetensorsFile.parse(take(base.weights), base.weights));
  try {
    const heads = await createHeads(config, manifest, take, (name) => readOne(source, name, manifest.files));
    return {
      id: manifest.id,
      title: manifest.title,
      hash,
      manifest,
      tokenizer,
      chat: fixedChat({ opening: '', ...manifest.chat }),
      base: baseModel,
      ...heads,
      gistNet: heads.gistNet ?? new CentredMeanGistNet(baseModel.meanEmbedding()),
      dispose: () => {
        heads.dispose();
        baseModel.dispose();
      },
    };
  } catch (error) {
    baseModel.dispose();
    throw error;
  }
}

/** @throws {WeightError} naming the entry that is wrong; {ModelSourceError} if there is none. */
export async function readManifest(
  source: ModelSource,
  { signal }: LoadOptions = {},
): Promise<ModelManifest> {
  const bytes = await source.read(MANIFEST, signal === undefined ? {} : { signal });
  const parsed = manifestSchema.safeParse(parseJson(bytes, MANIFEST), IN_WORDS);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new WeightError(MANIFEST, null, `${issue.path.join('.') || 'the file'}: ${issue.message}`);
}
