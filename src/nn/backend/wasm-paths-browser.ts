/** Where the browser finds the WASM binaries: files that Vite serves and bundles. Not for Node. */
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import kernels from '../../../kernels/build/kernels.wasm?url';
import shared from '../../../kernels/build/kernels-shared.wasm?url';
import type { WasmPaths } from './wasm-paths.ts';
import type { FromThread, ThreadHandle } from './kernel-thread.ts';

async function bytesOf(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the kernels cannot be fetched (HTTP ${response.status})`);
  return response.arrayBuffer();
}

/** The addresses of the binaries, for `selectBackend`. */
export const BROWSER_WASM_PATHS: WasmPaths = {
  tfjs: { plain, simd },
  kernels: { plain: () => bytesOf(kernels), shared: () => bytesOf(shared), startThread },
};

function startThread(): ThreadHandle {
  const worker = new Worker(new URL('./kernel-thread-browser.ts', import.meta.url), {
    type: 'module',
    name: 'kernel-thread',
  });
  return {
    post: (message) => {
      worker.postMessage(message);
    },
    onMessage: (listener) => {
      worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
        listener(data);
      };
    },
    onFailure: (listener) => {
      worker.onerror = (event) => {
        event.preventDefault();
        listener(event.message === '' ? 'a worker could not be loaded' : event.message);
      };
    },
    terminate: () => {
      worker.terminate();
    },
  };
}
