/** Where the browser finds the WASM binaries: files that Vite serves and bundles. Not for Node. */
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import type { WasmPaths } from './device.ts';

/** The addresses of the binaries, for `selectBackend`. */
export const BROWSER_WASM_PATHS: WasmPaths = { plain, simd };
