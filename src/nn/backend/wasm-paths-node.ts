/** Where Node finds the WASM binaries: in the installed package and in the build of `kernels/`. Not for the browser. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { WasmPaths } from './device.ts';

const KERNELS = join(import.meta.dirname, '../../../kernels/build');

/** For `selectBackend`. */
export function nodeWasmPaths(): WasmPaths {
  const require = createRequire(import.meta.url);
  return {
    tfjs: dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep,
    kernels: { plain: () => readFile(join(KERNELS, 'kernels.wasm')) },
  };
}
