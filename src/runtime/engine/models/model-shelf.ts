/** The models that the engine can reach: looks at them before they are loaded, and opens them. Holds no weights. */
import { loadModel, type LoadProgress, readManifest } from '../../../nn/loader/load-model.ts';
import { createBareModel } from '../../../nn/loader/bare-model.ts';
import { readModelFiles } from '../../../nn/loader/model-files.ts';
import { createBlobSource, type ReadBlob } from '../../../nn/model-folder/blob-source.ts';
import { createFetchSource } from '../../../nn/model-folder/fetch-source.ts';
import { type BaseConfig, parameterCount, parseBaseConfig } from '../../../nn/base-model/config.ts';
import { parseJson } from '../../../nn/model-folder/json-file.ts';
import type { ModelSource } from '../../../nn/model-folder/model-source.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { PublishedBase } from '../../../nn/loader/published-base.ts';
import type { ModelCheck, ModelPlace } from '../protocol/models.ts';
import { modelProblem } from './model-problem.ts';
import { forecastRun, type Surroundings } from './run-forecast.ts';

interface ShelfPorts {
  readonly readBlob: ReadBlob;
  /** What the device offers at this moment. */
  readonly surroundings: () => Promise<Surroundings>;
}

export class ModelShelf {
  constructor(private readonly ports: ShelfPorts) {}

  /** @throws {EngineError} `bad-model` naming what is wrong and what would work. */
  async examine(place: ModelPlace): Promise<ModelCheck> {
    try {
      const { source, published } = await this.read(place);
      const around = await this.ports.surroundings();
      return published === null ? await describeFolder(source, around) : describeBase(published, around);
    } catch (error) {
      throw modelProblem(error);
    }
  }

  /** Put a model on the active backend; the caller disposes it. @throws as `examine`. */
  async open(place: ModelPlace, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel> {
    try {
      const { source, published } = await this.read(place);
      if (published === null) return await loadModel(source, { onProgress });
      return await createBareModel(published, { onProgress });
    } catch (error) {
      throw modelProblem(error, 'No model is loaded now.');
    }
  }

  /** `published` is null for a folder with a manifest. */
  private async read(
    place: ModelPlace,
  ): Promise<{ readonly source: ModelSource; readonly published: PublishedBase | null }> {
    if (place.kind === 'shipped') {
      const address = new URL(`${encodeURIComponent(place.id)}/`, place.baseUrl).href;
      return { source: createFetchSource(address), published: null };
    }
    const files = new Map(place.files.map((file) => [file.name, file]));
    const source = createBlobSource(files, this.ports.readBlob);
    return { source, published: await readModelFiles(source, [...files.keys()], place.name) };
  }
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

function describeBase(published: PublishedBase, around: Surroundings): ModelCheck {
  const { name, licence, config, trainedContextTokens, weightFiles } = published;
  return {
    ...describeConfig(config, around),
    name,
    licence,
    trainedContextTokens,
    fileBytes: [...weightFiles.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    hasHeads: false,
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
