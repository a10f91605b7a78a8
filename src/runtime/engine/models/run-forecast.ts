/** Whether a base will run here and how fast, from its configuration and what is known of the device. Pure. */
import { type BaseConfig, parameterCount } from '../../../nn/base-model/config.ts';
import type { BackendId } from '../../../nn/ports.ts';
import type { RunForecast } from '../protocol/models.ts';

export interface Surroundings {
  /** Null before a backend runs. */
  readonly backend: BackendId | null;
  /** Null where the browser does not tell; it tells no more than 8 GiB. */
  readonly deviceMemoryBytes: number | null;
  /** What a row of activations is multiplied by, measured; null before a backend runs. */
  readonly weightsPerSecond: number | null;
}

const GIB = 2 ** 30;
const FLOAT_BYTES = 4;
/** Slots that the key-value cache of a first session has, about. */
const CACHE_SLOTS = 4096;
/** WASM addresses 4 GiB; what activations and pooled memory take of them is kept free. */
const WASM_HEAP_BYTES = 4 * GIB;
/** Activations of a prefill, pooled memory and the page itself, measured with SmolLM2-135M. */
const WORKING_BYTES = 0.7 * GIB;
/** What a token's matrix products are of its time (PERFORMANCE: 44% of SmolLM2-135M's at 512 slots). */
const PRODUCT_SHARE = 0.45;
/** A browser gives a page no more than about half of the memory. */
const USABLE_SHARE = 0.5;

/** Bytes that a base takes while it runs: weights as float32 on the device, embeddings a second time for lookups. */
export function memoryOf(config: BaseConfig): number {
  const { vocabularySize, hiddenSize, layers, kvHeads, headDim, tiedHead } = config;
  const embeddings = vocabularySize * hiddenSize;
  const weights = parameterCount(config) + (tiedHead ? embeddings : 0);
  const cache = 2 * layers * kvHeads * headDim * CACHE_SLOTS;
  return FLOAT_BYTES * (weights + cache) + WORKING_BYTES;
}

export function forecastRun(config: BaseConfig, around: Surroundings): RunForecast {
  const memoryBytes = memoryOf(config);
  const { backend, deviceMemoryBytes, weightsPerSecond } = around;
  const tokensPerSecond =
    weightsPerSecond === null ? null : (weightsPerSecond * PRODUCT_SHARE) / parameterCount(config);
  const said = (fits: RunForecast['fits'], why: string): RunForecast => ({
    fits,
    why,
    memoryBytes,
    tokensPerSecond,
  });
  const needs = `It takes about ${inGib(memoryBytes)} of memory`;
  if (backend !== 'webgpu' && memoryBytes > WASM_HEAP_BYTES) {
    return said('no', `${needs}; WASM can address 4 GiB. A smaller model runs here.`);
  }
  if (deviceMemoryBytes !== null && memoryBytes > deviceMemoryBytes) {
    return said('no', `${needs}, and this device has ${inGib(deviceMemoryBytes)}. A smaller model runs here.`);
  }
  if (deviceMemoryBytes !== null && memoryBytes > deviceMemoryBytes * USABLE_SHARE) {
    return said('tight', `${needs}, more than half of this device's ${inGib(deviceMemoryBytes)}: close other tabs.`);
  }
  if (deviceMemoryBytes === null && memoryBytes > 2 * GIB) {
    return said('tight', `${needs}; this browser does not say how much there is.`);
  }
  return said('yes', `${needs}.`);
}

function inGib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
