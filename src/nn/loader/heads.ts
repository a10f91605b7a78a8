/** GistNet and LensNets on the active backend: those of a model folder, and those made for a base that others publish. */
import { IN_WORDS } from '../../base/schema-words.ts';
import type { BaseConfig } from '../base-model/config.ts';
import { createGistNet } from '../gist-net/gist-net.ts';
import { DeferredLensNet } from '../lens-net/deferred-lens-net.ts';
import { createFocusHeads, type OwnedFocusHeads } from './focus-heads.ts';
import { createLensNet } from '../lens-net/lens-net.ts';
import { createLensWorkshop } from '../lens-net/training/workshop.ts';
import { ModelSourceError, WeightError } from '../model-folder/errors.ts';
import {
  type BaseIdentity,
  HEADS_MANIFEST,
  headsManifestSchema,
  type HeadsManifest,
  whyNotFor,
} from '../model-folder/heads-manifest.ts';
import { parseJson } from '../model-folder/json-file.ts';
import { headFiles, type LensNetSection, type NetworkSections } from '../model-folder/manifest.ts';
import type { ModelSource } from '../model-folder/model-source.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { hashOfFiles, type LoadOptions, readOne, readVerified } from '../model-folder/verified-files.ts';
import type { GistNet, LensNet, LoadedModel } from '../ports.ts';

/** Folders below `models/` that hold heads for published bases. */
export const SHIPPED_HEADS: readonly string[] = ['smollm2-135m'];

/** The networks beside a base; `gistNet` is null where none is trained. */
export type Heads = Pick<
  LoadedModel,
  'lensNet' | 'otherLensNets' | 'stagingLensNet' | 'focusHeads' | 'lensWorkshops'
> & {
  readonly gistNet: GistNet | null;
  dispose(): void;
};

/**
 * Put the networks of a manifest on the active backend: all or nothing. LensNets of other variants and that of staging
 * follow when they first score.
 *
 * @param take - the bytes of a file that the manifest names.
 * @param readLater - the same, of a file that was not read yet.
 * @throws {WeightError} if weights do not fit the base.
 */
export async function createHeads(
  { hiddenSize, epsilon, ...base }: BaseConfig,
  { gistNet, lensNet, otherLensNets = [], stagingLensNet, focusHeads = [] }: NetworkSections,
  take: (name: string) => ArrayBuffer,
  readLater: (name: string) => Promise<ArrayBuffer>,
): Promise<Heads> {
  const networks: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(network: T): T => {
    networks.push(network);
    return network;
  };
  const dispose = (): void => {
    for (const network of networks.splice(0)) network.dispose();
  };
  const open = (name: string): SafetensorsFile => SafetensorsFile.parse(take(name), name);
  const lensNetOf = (section: LensNetSection, weights: ArrayBuffer): Promise<LensNet> =>
    createLensNet(hiddenSize, epsilon, section, SafetensorsFile.parse(weights, section.weights));
  const deferred = (section: LensNetSection): LensNet =>
    own(new DeferredLensNet(section, async () => lensNetOf(section, await readLater(section.weights))));
  const workshopOf = (section: LensNetSection, weights: () => Promise<ArrayBuffer>) =>
    [section.variant, createLensWorkshop(hiddenSize, epsilon, section, weights)] as const;
  try {
    const brought = new Map<number, OwnedFocusHeads>();
    for (const section of focusHeads) {
      const heads = await createFocusHeads({ hiddenSize, epsilon, lensNet }, section, take);
      brought.set(section.heads, own(heads));
    }
    return {
      gistNet:
        gistNet === undefined
          ? null
          : own(await createGistNet({ hiddenSize, epsilon, ...base }, gistNet, open(gistNet.weights))),
      lensNet: lensNet === undefined ? null : own(await lensNetOf(lensNet, take(lensNet.weights))),
      otherLensNets: new Map(otherLensNets.map((other) => [other.variant, deferred(other)])),
      ...(stagingLensNet && { stagingLensNet: deferred(stagingLensNet) }),
      focusHeads: brought,
      lensWorkshops: new Map([
        ...(lensNet === undefined ? [] : [workshopOf(lensNet, () => Promise.resolve(take(lensNet.weights)))]),
        ...otherLensNets.map((section) => workshopOf(section, () => readLater(section.weights))),
      ]),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Heads that somebody made for a published base. */
export interface HeadsOffer {
  readonly source: ModelSource;
  /** The user asked for these: that they do not fit is an error then, and no reason to go on without. */
  readonly isChosen: boolean;
}

export interface FittingHeads extends Heads {
  readonly manifest: HeadsManifest;
  /** Names their weights. */
  readonly hash: string;
}

/**
 * The first heads on offer that were made for this base.
 *
 * @returns null where none were.
 * @throws {WeightError} if chosen ones are for another base or block size, or are damaged.
 */
export async function findHeads(
  offers: readonly HeadsOffer[],
  config: BaseConfig,
  base: BaseIdentity,
  options: LoadOptions = {},
): Promise<FittingHeads | null> {
  for (const { source, isChosen } of offers) {
    try {
      const manifest = await readHeadsManifest(source, options);
      const why = whyNotFor(manifest, base);
      if (why !== null) {
        if (isChosen) throw new WeightError(HEADS_MANIFEST, null, `${manifest.title}: these heads ${why}`);
        continue;
      }
      const files = await readVerified(source, headFiles(manifest), manifest.files, options);
      const readLater = (name: string) => readOne(source, name, manifest.files);
      const heads = await createHeads(config, manifest, (name) => files.get(name)!, readLater);
      return { ...heads, manifest, hash: await hashOfFiles(manifest.files) };
    } catch (error) {
      // What is only on offer may be missing where the page is served from: the base runs without, and says so.
      if (isChosen || !(error instanceof ModelSourceError)) throw error;
    }
  }
  return null;
}

/** @throws {WeightError} naming the entry that is wrong; {ModelSourceError} if there is none. */
export async function readHeadsManifest(
  source: ModelSource,
  { signal }: LoadOptions = {},
): Promise<HeadsManifest> {
  const bytes = await source.read(HEADS_MANIFEST, signal === undefined ? {} : { signal });
  const parsed = headsManifestSchema.safeParse(parseJson(bytes, HEADS_MANIFEST), IN_WORDS);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new WeightError(HEADS_MANIFEST, null, `${issue.path.join('.') || 'the file'}: ${issue.message}`);
}
