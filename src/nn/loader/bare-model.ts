/**
 * A published base on the device, with heads made for it, or with what stands in for them where there are none: centred
 * means as gists, no LensNet, and parameters that need neither.
 */
import type { RunConfig } from '../../core/trace/config.ts';
import { K, MAX_LOD } from '../../core/tree/ids.ts';
import { BaseModel } from '../base-model/base-model.ts';
import { CentredMeanGistNet } from '../gist-net/centred-mean.ts';
import type { HeadsManifest } from '../model-folder/heads-manifest.ts';
import type { ModelManifest } from '../model-folder/manifest.ts';
import type { LoadedModel } from '../ports.ts';
import { findHeads, type HeadsOffer } from './heads.ts';
import { hashOfWeights, type PublishedBase } from './published-base.ts';
import { sha256Hex } from '../model-folder/sha256.ts';
import type { LoadProgress } from '../model-folder/verified-files.ts';
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
    openBlocks: 3,
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
  /** The first that were made for this base are used. */
  readonly heads?: readonly HeadsOffer[];
}

/**
 * Put a base on the active backend. Each tensor is read where it is needed, so that no file is held as a whole.
 *
 * @returns the model; the caller disposes it.
 * @throws {WeightError} if the weights do not fit the configuration, or chosen heads the base.
 */
export async function createBareModel(
  published: PublishedBase,
  { knownHashes, onProgress, heads: offers = [] }: BareModelOptions = {},
): Promise<LoadedModel> {
  const { name, licence, config, trainedContextTokens, tokenizer, chat, weights } = published;
  const { userPrefix, userSuffix, assistantPrefix, stop } = chat.pieces();
  const fileBytes = [...published.weightFiles.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
  const totalBytes = 2 * fileBytes;
  const hash = await hashOfWeights(published, knownHashes, (receivedBytes) => {
    onProgress?.({ file: weights.file, receivedBytes, totalBytes });
  });
  const base = await BaseModel.open(
    config,
    watched(weights, (share) => {
      onProgress?.({ file: weights.file, receivedBytes: fileBytes * (1 + share), totalBytes });
    }),
  );
  const { hiddenSize, layers, vocabularySize } = config;
  const identity = {
    name,
    hiddenSize,
    layers,
    vocabularySize,
    embed: (ids: ArrayLike<number>) => base.embed(ids),
  };
  const found = await findHeads(offers, config, identity, { ...(onProgress && { onProgress }) }).catch(
    (error: unknown) => {
      base.dispose();
      throw error;
    },
  );
  return {
    id: modelIdOf(name),
    title: name,
    hash: found === null ? hash : await joinedHash(hash, found.hash),
    manifest: {
      formatVersion: 1,
      id: modelIdOf(name),
      title: name,
      licence: licence ?? 'not stated',
      blockSize: K,
      maxLod: MAX_LOD,
      hiddenSize: config.hiddenSize,
      trainedContextTokens,
      defaults: { ...bareDefaults(trainedContextTokens), ...found?.manifest.defaults },
      chat: { userPrefix, userSuffix, assistantPrefix, stop: [...stop] },
      base: {
        config: weights.file,
        weights: weights.file,
        tokenizer: weights.file,
        tokenizerConfig: weights.file,
      },
      files: {},
      ...sectionsOf(found?.manifest),
    },
    tokenizer,
    chat,
    base,
    gistNet: found?.gistNet ?? new CentredMeanGistNet(base.meanEmbedding()),
    lensNet: found?.lensNet ?? null,
    otherLensNets: found?.otherLensNets ?? new Map(),
    ...(found?.stagingLensNet && { stagingLensNet: found.stagingLensNet }),
    ...(found?.focusHeads && { focusHeads: found.focusHeads }),
    lensWorkshops: found?.lensWorkshops ?? new Map(),
    ...(found && { headsTitle: found.manifest.title }),
    dispose: () => {
      found?.dispose();
      base.dispose();
    },
  };
}

/** What a model's manifest says of heads that came with another. */
function sectionsOf(heads: HeadsManifest | undefined): Partial<ModelManifest> {
  if (heads === undefined) return {};
  const { maxLod, gistNet, lensNet, otherLensNets, stagingLensNet, focusHeads, training, figures } = heads;
  return {
    maxLod,
    ...(gistNet && { gistNet }),
    ...(lensNet && { lensNet }),
    ...(otherLensNets && { otherLensNets }),
    ...(stagingLensNet && { stagingLensNet }),
    ...(focusHeads && { focusHeads }),
    ...(training && { training }),
    ...(figures && { figures }),
  };
}

/** Names base and heads together: gists of other heads are other gists. */
async function joinedHash(base: string, heads: string): Promise<string> {
  return (await sha256Hex(new TextEncoder().encode(`${base}\n${heads}`))) ?? `${base} ${heads}`;
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
