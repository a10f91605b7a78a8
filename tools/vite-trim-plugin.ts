/** Leaves out of a build what TensorFlow.js's core brings along unasked: its optimizers, and how models are saved. */
import type { Plugin } from 'vite';

const CORE = '/@tensorflow/tfjs-core/dist/';
const REGISTERS = 'registerOptimizers();';

/** The page has an optimizer of its own, and reads its weights itself. */
export function trimTensorFlowPlugin(): Plugin {
  return {
    name: 'trim-tensorflow',
    apply: 'build',
    transform(code, id) {
      const at = id.replaceAll('\\', '/').lastIndexOf(CORE);
      if (at < 0) return null;
      const file = id.replaceAll('\\', '/').slice(at + CORE.length);
      // They register themselves with a registry that nothing asks.
      if (file.startsWith('io/')) return { code, map: null, moduleSideEffects: false };
      if (file !== 'index.js') return null;
      if (!code.includes(REGISTERS)) this.error(`${id} registers its optimizers in another way now.`);
      return { code: code.replace(REGISTERS, ''), map: null, moduleSideEffects: true };
    },
  };
}
