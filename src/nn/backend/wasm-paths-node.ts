/** Where Node finds the WASM binaries: in the installed package. Not for the browser bundle. */
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';

/** The folder of the binaries, for `selectBackend`. */
export function nodeWasmPaths(): string {
  const require = createRequire(import.meta.url);
  return dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep;
}
