/**
 * Leaves out of a build what TensorFlow.js brings along unasked: optimizers, how models are saved, and the WASM backend's
 * kernels for pictures, texts and sparse tensors.
 */
import type { Plugin } from 'vite';

const CORE = '/@tensorflow/tfjs-core/dist/';
const WASM_KERNELS = '/@tensorflow/tfjs-backend-wasm/dist/register_all_kernels.js';
const REGISTERS = 'registerOptimizers();';

/** Kernels that nothing of a transformer, its gradients or its sampling is made of, by the names of their configurations. */
const FOREIGN_KERNELS = [
  ...['avgPool', 'maxPool', 'conv\\d', 'depthwise', 'dilation', 'fused(BatchNorm|Conv|Depthwise)', 'lrn'],
  ...['resize', 'crop', 'rotate', 'flip', 'transform', 'nonMax', 'mirrorPad', 'depthToSpace'],
  ...['string', 'sparse', 'unique', 'bincount', 'denseBincount', 'searchSorted', 'multinomial'],
  ...['batchToSpace', 'spaceToBatch', 'scatterNd', 'tensorScatter', 'gatherNd', 'topK'],
];
const FOREIGN = new RegExp(`^ *(${FOREIGN_KERNELS.join('|')})\\w*Config,$`, 'gm');

/** The page has an optimizer of its own, and reads its weights itself. */
export function trimTensorFlowPlugin(): Plugin {
  return {
    name: 'trim-tensorflow',
    apply: 'build',
    transform(code, id) {
      const path = id.replaceAll('\\', '/');
      if (path.endsWith(WASM_KERNELS)) return { code: withoutForeignKernels(code), map: null };
      const at = path.lastIndexOf(CORE);
      if (at < 0) return null;
      const file = path.slice(at + CORE.length);
      // They register themselves with a registry that nothing asks.
      if (file.startsWith('io/')) return { code, map: null, moduleSideEffects: false };
      if (file !== 'index.js') return null;
      if (!code.includes(REGISTERS)) this.error(`${id} registers its optimizers in another way now.`);
      return { code: code.replace(REGISTERS, ''), map: null, moduleSideEffects: true };
    },
  };
}

/**
 * The list of kernels without those; what is imported for them then goes unused.
 *
 * @throws {Error} if the file is no longer made as it was.
 */
export function withoutForeignKernels(code: string): string {
  const kept = code.replace(FOREIGN, '');
  if (kept === code) throw new Error('TensorFlow.js registers its WASM kernels in another way now.');
  return kept;
}
