/** Where the browser finds the WASM binaries: files that Vite serves and bundles. Not for Node. */
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import kernels from '../../../kernels/build/kernels.wasm?url';
import type { WasmPaths } from './device.ts';

async function bytesOf(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the kernels cannot be fetched (HTTP ${response.status})`);
  return response.arrayBuffer();
}

/** The addresses of the binaries, for `selectBackend`. */
export const BROWSER_WASM_PATHS: WasmPaths = {
  tfjs: { plain, simd },
  kernels: { plain: () => bytesOf(kernels) },
};
