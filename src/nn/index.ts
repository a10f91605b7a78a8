/**
 * The room's public entry: choose a backend, load a model folder, use it through the ports. Node callers
 * also import `wasm-paths-node.ts` and `file-source.ts`, browser callers `wasm-paths-browser.ts`.
 */
export {
  type BackendOptions,
  type BackendPreference,
  releaseBackend,
  selectBackend,
  type WasmPaths,
} from './device.ts';
export { BackendError, CapacityError, ModelSourceError, ShapeError, WeightError } from './errors.ts';
export { createFetchSource } from './fetch-source.ts';
export { loadModel, type LoadOptions, type LoadProgress } from './load-model.ts';
export { manifestSchema, type ModelManifest } from './manifest.ts';
export { memoryReport, type MemoryReport } from './memory-report.ts';
export type { ModelSource, ReadOptions } from './model-source.ts';
export type {
  BackendId,
  BackendReport,
  DecodeSession,
  GistNet,
  LanguageModel,
  LensNet,
  LoadedModel,
  Tokenizer,
} from './ports.ts';
