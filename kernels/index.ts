/** What the module exports: whole runs for the networks, single kernels for tests and for the benchmark. */
export { attend, foldWeights } from './attention';
export { runLens } from './lens';
export { lookUp, moveSlots, runHead, runStack } from './llama';
export { decodeRow, product, round } from './products';
export { rmsNorm, rotate, softmaxParts, swiGlu } from './steps';
export { abandon, awaitLeft, isAbandoned, leave } from './threads';

/** The first byte that is free. */
export function freeFrom(): usize {
  return __heap_base;
}
