/**
 * Loads one model folder: manifest, then every file it needs, each checked against its size and SHA-256
 * before use. All or nothing: on failure no tensor is left behind.
 */
import { IN_WORDS } from '../../base/schema-words.ts';
import { BaseModel } from '../base-model/base-model.ts';
import { parseBaseConfig } from '../base-model/config.ts';
import { WeightError } from '../model-folder/errors.ts';
import { CentredMeanGistNet } from '../gist-net/centred-mean.ts';
import { TransformerGistNet } from '../gist-net/gist-net.ts';
import { createLensNet } from '../lens-net/lens-net.ts';
import { createLensWorkshop } from '../lens-net/training/workshop.ts';
import { parseJson } from '../model-folder/json-file.ts';
import {
  type LensNetSection,
  manifestSchema,
  type ModelManifest,
  neededFiles,
} from '../model-folder/manifest.ts';
import type { ModelSource } from '../model-folder/model-source.ts';
import type { LensNet, LoadedModel } from '../ports.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { sha256Hex } from '../model-folder/sha256.ts';
import { fixedChat } from '../model-folder/chat-template.ts';
import { createTokenizer } from '../model-folder/tokenizer.ts';

const MANIFEST = 'manifest.json';

export interface LoadProgress {
  readonly file: string;
  /** Over all files of the model, so that one bar tells the whole. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface LoadOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called with a sentence for people, for example that hashes could not be checked here. */
  readonly onNotice?: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Load a model onto the active backend.
 *
 * @returns the model; the caller disposes it.
 * @throws {WeightError} if a file is corrupted or does not fit the others.
 * @throws {ModelSourceError} if a file cannot be had. The signal's reason if aborted.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<LoadedModel> {
  const manifest = await readManifest(source, options);
  const files = await readFiles(source, manifest, options);
  const take = (name: string): ArrayBuffer => files.get(name)!;
  const { base, gistNet, lensNet, otherLensNets = [] } = manifest;

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

  const hash = await hashOf(manifest);
  const networks: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(network: T): T => {
    networks.push(network);
    return network;
  };
  const dispose = (): void => {
    for (const network of networks.splice(0)) network.dispose();
  };
  const open = (name: string): SafetensorsFile => SafetensorsFile.parse(take(name), name);
  const lensNetOf = (section: LensNetSection): LensNet =>
    own(createLensNet(config.hiddenSize, config.epsilon, section, open(section.weights)));
  try {
    const baseModel = own(new BaseModel(config, open(base.weights)));
    return {
      id: manifest.id,
      title: manifest.title,
      hash,
      manifest,
      tokenizer,
      chat: fixedChat({ opening: '', ...manifest.chat }),
      base: baseModel,
      gistNet: own(
        gistNet === undefined
          ? new CentredMeanGistNet(baseModel.meanEmbedding())
          : new TransformerGistNet(config, gistNet, open(gistNet.weights)),
      ),
      lensNet: lensNet === undefined ? null : lensNetOf(lensNet),
      otherLensNets: new Map(otherLensNets.map((other) => [other.variant, lensNetOf(other)])),
      ...(lensNet !== undefined && {
        lensWorkshop: createLensWorkshop(config.hiddenSize, config.epsilon, lensNet, take(lensNet.weights)),
      }),
      dispose,
    };
  } catch (error) {
    dispose();
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

async function readFiles(
  source: ModelSource,
  manifest: ModelManifest,
  { signal, onProgress, onNotice }: LoadOptions,
): Promise<ReadonlyMap<string, ArrayBuffer>> {
  const names = neededFiles(manifest);
  const totalBytes = names.reduce((sum, name) => sum + manifest.files[name]!.bytes, 0);
  const files = new Map<string, ArrayBuffer>();
  let finishedBytes = 0;
  let couldHash = true;
  for (const file of names) {
    signal?.throwIfAborted();
    const report = (received: number): void =>
      onProgress?.({ file, receivedBytes: Math.min(finishedBytes + received, totalBytes), totalBytes });
    const bytes = await source.read(file, { onProgress: report, ...(signal && { signal }) });
    couldHash = (await verify(file, bytes, manifest.files[file]!)) && couldHash;
    files.set(file, bytes);
    finishedBytes += bytes.byteLength;
    report(0);
  }
  if (!couldHash) {
    onNotice?.('SHA-256 is not available on insecure pages: files were checked by their size only.');
  }
  return files;
}

/** @returns false where the platform cannot hash; the size was checked then. */
async function verify(
  file: string,
  bytes: ArrayBuffer,
  expected: { readonly bytes: number; readonly sha256: string },
): Promise<boolean> {
  if (bytes.byteLength !== expected.bytes) {
    throw new WeightError(file, null, `expected ${expected.bytes} bytes, found ${bytes.byteLength}`);
  }
  const found = await sha256Hex(bytes);
  if (found !== null && found !== expected.sha256) {
    throw new WeightError(file, null, `corrupted: expected SHA-256 ${expected.sha256}, found ${found}`);
  }
  return found !== null;
}

/** Names the exact set of weights; without a digest on this platform, by the manifest's hashes joined. */
async function hashOf(manifest: ModelManifest): Promise<string> {
  const lines = Object.entries(manifest.files)
    .map(([name, { sha256 }]) => `${name} ${sha256}`)
    .sort()
    .join('\n');
  return (await sha256Hex(new TextEncoder().encode(lines))) ?? lines.replaceAll('\n', ' ');
}
