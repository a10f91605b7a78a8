/**
 * The models that the engine can reach: looks at them before they are loaded, keeps and opens them. Holds no weights. What
 * only published bases need (GGUF, chat templates, the hub) is fetched with the first of them.
 */
import { paceReports } from '../../../base/paced-reports.ts';
import { type BaseConfig, parameterCount, parseBaseConfig } from '../../../nn/base-model/config.ts';
import { type HeadsOffer, SHIPPED_HEADS } from '../../../nn/loader/heads.ts';
import { loadModel, readManifest } from '../../../nn/loader/load-model.ts';
import type { PublishedBase } from '../../../nn/loader/published-base.ts';
import { createBlobSource, type ReadBlob } from '../../../nn/model-folder/blob-source.ts';
import { createFetchSource } from '../../../nn/model-folder/fetch-source.ts';
import { parseJson } from '../../../nn/model-folder/json-file.ts';
import { HEADS_MANIFEST } from '../../../nn/model-folder/heads-manifest.ts';
import type { ModelSource } from '../../../nn/model-folder/model-source.ts';
import type { LoadProgress } from '../../../nn/model-folder/verified-files.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { type FileTree, FileTreeError } from '../../../storage/files/file-tree.ts';
import { EngineError } from '../../session/messages/errors.ts';
import type {
  FetchPlan,
  ModelCheck,
  ModelFetchProgress,
  ModelOffer,
  ModelPlace,
  ModelResults,
  ShelfReport,
} from '../protocol/models.ts';
import { KeptModels, totalOf } from './kept-models.ts';
import { modelProblem } from './model-problem.ts';
import { forecastRun, type Surroundings } from './run-forecast.ts';

export interface ShelfPorts {
  readonly readBlob: ReadBlob;
  /** Where models are kept. @throws {FileTreeError} where this browser keeps none. */
  readonly openTree: () => Promise<FileTree>;
  /** How much is used and may be used; null where the browser does not tell. */
  readonly estimate: () => Promise<{ readonly usage?: number; readonly quota?: number } | null>;
  /** What the device offers at this moment. */
  readonly surroundings: () => Promise<Surroundings>;
  readonly onProgress: (progress: ModelFetchProgress) => void;
}

/** A fetch tells how far it is about this often. */
const REPORT_EVERY_MS = 100;

export class ModelShelf {
  private readonly kept: KeptModels;
  /** The fetch or copy under way. */
  private work: AbortController | null = null;

  constructor(private readonly ports: ShelfPorts) {
    this.kept = new KeptModels(ports.openTree);
  }

  /** @throws {EngineError} `bad-model` naming what is wrong and what would work. */
  async examine(place: ModelPlace): Promise<ModelCheck> {
    try {
      const { source, published, plan, hasHeads } = await this.read(place);
      const around = await this.ports.surroundings();
      if (published === null) return await describeFolder(source, around);
      return describeBase(published, plan, around, hasHeads);
    } catch (error) {
      throw modelProblem(error);
    }
  }

  /** Put a model on the active backend; the caller disposes it. @throws as `examine`. */
  async open(place: ModelPlace, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel> {
    try {
      const { source, published, plan, hasHeads } = await this.read(place);
      if (published === null) return await loadModel(source, { onProgress });
      const known = (plan?.files ?? []).flatMap(({ name, sha256 }) =>
        sha256 === null ? [] : [[name, sha256] as const],
      );
      const own = hasHeads ? [{ source, isChosen: true }] : [];
      const heads = [...own, ...shippedHeads(place)];
      const { createBareModel } = await import('../../../nn/loader/bare-model.ts');
      return await createBareModel(published, { onProgress, knownHashes: new Map(known), heads });
    } catch (error) {
      throw modelProblem(error, 'No model is loaded now.');
    }
  }

  /** A model on the hub, before it is fetched. @throws as `examine`. */
  async find(address: string, endpoint: string, file: string | null | undefined): Promise<ModelOffer> {
    try {
      const { findHubModel } = await import('./hub-models.ts');
      const found = await findHubModel(address, endpoint.replace(/\/+$/, ''), file);
      const { plan, base, choices } = found;
      const { licence, name } = plan;
      const described = describeConfig(base.config, await this.ports.surroundings());
      const { trainedContextTokens } = base;
      const check = { ...described, name, licence, trainedContextTokens, fileBytes: totalOf(plan), hasHeads: false };
      return { plan, check, choices, file: found.file, noRoom: await this.noRoomFor(plan) };
    } catch (error) {
      throw modelProblem(error);
    }
  }

  async list(): Promise<ShelfReport> {
    const { usage = null, quota = null } = (await this.ports.estimate()) ?? {};
    const space = { usageBytes: usage, quotaBytes: quota };
    try {
      return { models: await this.kept.list(), ...space, unavailable: null };
    } catch (error) {
      if (error instanceof FileTreeError) return { models: [], ...space, unavailable: error.message };
      throw error;
    }
  }

  /** @returns `paused` if `pause` ended it; what came is kept. @throws as `examine`. */
  async fetch(plan: FetchPlan): Promise<ModelResults['fetchModel']> {
    const outcome = await this.alone(plan.folder, (work) => this.kept.fetch(plan, work));
    return outcome === 'paused' ? 'paused' : 'whole';
  }

  /** @throws {EngineError} if it was paused: files of the user's are not gone on with, but copied again. */
  async keep(name: string, files: readonly File[]): Promise<FetchPlan> {
    const plan = await this.alone('', (work) => this.kept.keep(name, files, work));
    if (plan !== 'paused') return plan;
    throw new EngineError('bad-model', `${name} was not copied to its end.`, 'The file is as it was.', 'Choose it again.');
  }

  pause(): void {
    this.work?.abort(new DOMException('Paused.', 'AbortError'));
  }

  async remove(folder: string): Promise<void> {
    try {
      await this.kept.remove(folder);
    } catch (error) {
      throw modelProblem(error);
    }
  }

  private async alone<T>(
    folder: string,
    run: (work: {
      readonly signal: AbortSignal;
      readonly onProgress: (progress: Omit<ModelFetchProgress, 'folder'>) => void;
    }) => Promise<T>,
  ): Promise<T | 'paused'> {
    if (this.work !== null) {
      throw new EngineError('busy', 'Another model is being fetched.', 'It goes on.', 'Pause it first, or wait.');
    }
    const work = new AbortController();
    this.work = work;
    // A connection that stalls right after a report must still show what came since.
    const reports = paceReports(REPORT_EVERY_MS, this.ports.onProgress);
    try {
      return await run({
        signal: work.signal,
        onProgress: (progress) => {
          reports.tell({ ...progress, folder });
        },
      });
    } catch (error) {
      if (work.signal.aborted) return 'paused';
      throw modelProblem(error);
    } finally {
      reports.end();
      this.work = null;
    }
  }

  private async noRoomFor(plan: FetchPlan): Promise<string | null> {
    const { usageBytes, quotaBytes, unavailable, models } = await this.list();
    if (unavailable !== null) {
      return `${unavailable}. It can be opened from disk: download its files elsewhere and choose them.`;
    }
    if (usageBytes === null || quotaBytes === null) return null;
    const received = models.find((kept) => kept.plan.folder === plan.folder)?.receivedBytes ?? 0;
    const missing = totalOf(plan) - received - (quotaBytes - usageBytes);
    if (missing <= 0) return null;
    return `This browser gives the page ${megabytes(missing)} too little: delete other models first.`;
  }

  /** `published` is null for a folder with a manifest, `plan` for what is not kept; `hasHeads` beside a published base. */
  private async read(place: ModelPlace): Promise<{
    readonly source: ModelSource;
    readonly published: PublishedBase | null;
    readonly plan: FetchPlan | null;
    readonly hasHeads: boolean;
  }> {
    if (place.kind === 'shipped') {
      const address = new URL(`${encodeURIComponent(place.id)}/`, place.baseUrl).href;
      return { source: createFetchSource(address), published: null, plan: null, hasHeads: false };
    }
    const kept = place.kind === 'kept' ? await this.kept.open(place.folder) : null;
    const chosen = place.kind === 'files' ? place.files.map((file) => [file.name, file] as const) : [];
    const files: ReadonlyMap<string, Blob> = kept?.files ?? new Map(chosen);
    const source = createBlobSource(files, this.ports.readBlob);
    const { readModelFiles } = await import('../../../nn/loader/model-files.ts');
    const published = await readModelFiles(source, [...files.keys()], place.name);
    return { source, published, plan: kept?.plan ?? null, hasHeads: files.has(HEADS_MANIFEST) };
  }
}

/** Heads that come with the page, for whatever base they fit. */
function shippedHeads(place: ModelPlace): readonly HeadsOffer[] {
  if (place.kind === 'shipped' || place.modelsUrl === undefined) return [];
  const { modelsUrl } = place;
  return SHIPPED_HEADS.map((id) => ({
    source: createFetchSource(new URL(`${id}/`, modelsUrl).href),
    isChosen: false,
  }));
}

async function describeFolder(source: ModelSource, around: Surroundings): Promise<ModelCheck> {
  const manifest = await readManifest(source);
  const { base, files, lensNet } = manifest;
  const config = parseBaseConfig(parseJson(await source.read(base.config), base.config), base.config);
  return {
    ...describeConfig(config, around),
    name: manifest.title,
    licence: manifest.licence,
    trainedContextTokens: manifest.trainedContextTokens,
    fileBytes: Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0),
    hasHeads: lensNet !== undefined,
  };
}

function describeBase(
  published: PublishedBase,
  plan: FetchPlan | null,
  around: Surroundings,
  hasHeads: boolean,
): ModelCheck {
  const { name, licence, config, trainedContextTokens, weightFiles } = published;
  return {
    ...describeConfig(config, around),
    name,
    licence: licence ?? plan?.licence ?? null,
    trainedContextTokens,
    fileBytes: [...weightFiles.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    hasHeads,
  };
}

function describeConfig(
  config: BaseConfig,
  around: Surroundings,
): Pick<ModelCheck, 'architecture' | 'parameters' | 'forecast'> {
  return {
    architecture: `Llama, ${config.layers} layers of ${config.hiddenSize}`,
    parameters: parameterCount(config),
    forecast: forecastRun(config, around),
  };
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
