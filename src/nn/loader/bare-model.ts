/**
 * A published base on the device, with what stands in for heads that nobody trained for it: centred means as gists,
 * no LensNet, and parameters that need neither.
 */
import type { RunConfig } from '../../core/trace/config.ts';
import { K, MAX_LOD } from '../../core/tree/ids.ts';
import { BaseModel } from '../base-model/base-model.ts';
import { CentredMeanGistNet } from '../gist-net/centred-mean.ts';
import type { LoadedModel } from '../ports.ts';
import type { LoadProgress } from './load-model.ts';
import { hashOfWeights, type PublishedBase } from './published-base.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';

/** The largest budget that a bare base starts with; more is a parameter away. */
const LARGEST_BUDGET_TOKENS = 2048;

/** What a base is read with until heads are trained for it; `docs/models.md` says why. */
function bareDefaults(trainedContextTokens: number) {
  return {
    budgetTokens: Math.min(LARGEST_BUDGET_TOKENS, Math.max(K * 4, Math.floor(trainedContextTokens / 4))),
    recentTokens: 256,
    strategy: 'adaptive',
    maxActions: 8,
    policy: 'bm25',
    positions: 'compact',
    gistInput: 'none',
  } satisfies Partial<RunConfig>;
}

export interface BareModelOptions {
  /** SHA-256 by weight file, of those that were checked before. */
  readonly knownHashes?: ReadonlyMap<string, string>;
  /** First the files are read to name the weights, then the tensors: bytes of both together. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/**
 * Put a base on the active backend. Each tensor is read where it is needed, so that no file is held as a whole.
 *
 * @returns the model; the caller disposes it.
 * @throws {WeightError} if the weights do not fit the configuration.
 */
export async function createBareModel(
  published: PublishedBase,
  { knownHashes, onProgress }: BareModelOptions = {},
): Promise<LoadedModel> {
  const { name, licence, config, trainedContextTokens, tokenizer, chat, weights } = published;
  const { userPrefix, userSuffix, assistantPrefix, stop } = chat.pieces();
  const fileBytes = [...published.weightFiles.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
  const totalBytes = 2 * fileBytes;
  const hash = await hashOfWeights(published, knownHashes, (receivedBytes) => {
    onProgress?.({ file: weights.file, receivedBytes, totalBytes });
  });
  const base = new BaseModel(
    config,
    watched(weights, (share) => {
      onProgress?.({ file: weights.file, receivedBytes: fileBytes * (1 + share), totalBytes });
    }),
  );
  return {
    id: modelIdOf(name),
    title: name,
    hash,
    manifest: {
      formatVersion: 1,
      id: modelIdOf(name),
      title: name,
      licence: licence ?? 'not stated',
      blockSize: K,
      maxLod: MAX_LOD,
      hiddenSize: config.hiddenSize,
      trainedContextTokens,
      defaults: bareDefaults(trainedContextTokens),
      chat: { userPrefix, userSuffix, assistantPrefix, stop: [...stop] },
      base: {
        config: weights.file,
        weights: weights.file,
        tokenizer: weights.file,
        tokenizerConfig: weights.file,
      },
      files: {},
    },
    tokenizer,
    chat,
    base,
    gistNet: new CentredMeanGistNet(base.meanEmbedding()),
    lensNet: null,
    otherLensNets: new Map(),
    dispose: () => {
      base.dispose();
    },
  };
}

/** The same tensors; tells which share of them was read. */
function watched(weights: TensorFile, onShare: (share: number) => void): TensorFile {
  const wanted = new Set<string>();
  const { names } = weights;
  const seen = <T>(name: string, values: T): T => {
    wanted.add(name);
    onShare(wanted.size / names.length);
    return values;
  };
  return {
    file: weights.file,
    names,
    has: (name) => weights.has(name),
    shape: (name) => weights.shape(name),
    floats: (name, shape) => seen(name, weights.floats(name, shape)),
    stored: (name, shape) => seen(name, weights.stored(name, shape)),
  };
}

function modelIdOf(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  return id === '' ? 'base' : id;
}
