/**
 * Leaves out of a build what packages bring along unasked: of TensorFlow.js optimizers, how models are saved, and the WASM
 * backend's kernels for pictures, texts and sparse tensors; of the schema library how a schema is written as JSON Schema.
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

const SCHEMAS = '/zod/v4/classic/schemas.js';
/** A schema's way to JSON Schema, one line each, and the two methods that take it. */
const JSON_SCHEMA = [
  /^ *inst\._zod\.processJSONSchema = .*;$/gm,
  /createStandardJSONSchemaMethod\(this, "(in|out)put"\)/g,
  /createToJSONSchemaMethod\(this, \{\}\)/g,
] as const;

/** The page checks by schemas and tells nobody what they are. */
export function trimSchemasPlugin(): Plugin {
  return {
    name: 'trim-schemas',
    apply: 'build',
    transform(code, id) {
      if (!id.replaceAll('\\', '/').endsWith(SCHEMAS)) return null;
      return { code: withoutJsonSchema(code), map: null };
    },
  };
}

/**
 * Schemas that cannot be written as JSON Schema.
 *
 * @throws {Error} if the file is no longer made as it was.
 */
export function withoutJsonSchema(code: string): string {
  const left = JSON_SCHEMA.reduce((text, part, i) => {
    const shorter = text.replace(part, i === 0 ? '' : 'undefined');
    if (shorter === text) throw new Error('The schema library makes JSON Schema in another way now.');
    return shorter;
  }, code);
  if (/[(.]\w+Processor\(/.test(left))
    throw new Error('The schema library makes JSON Schema in more ways now.');
  return left;
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
