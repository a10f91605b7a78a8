/** Where Node finds the WASM binaries: in the installed package and in the build of `kernels/`. Not for the browser. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WasmPaths } from './wasm-paths.ts';
import type { FromThread, ThreadHandle } from './kernel-thread.ts';

const KERNELS = join(import.meta.dirname, '../../../kernels/build');

/** For `selectBackend`. */
export function nodeWasmPaths(): WasmPaths {
  const require = createRequire(import.meta.url);
  return {
    tfjs: dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep,
    kernels: {
      plain: () => readFile(join(KERNELS, 'kernels.wasm')),
      shared: () => readFile(join(KERNELS, 'kernels-shared.wasm')),
      startThread,
    },
  };
}

/** Does not keep the process running. */
function startThread(): ThreadHandle {
  const worker = new Worker(join(import.meta.dirname, 'kernel-thread-node.mjs'));
  worker.unref();
  return {
    post: (message) => {
      worker.postMessage(message);
    },
    onMessage: (listener) => {
      worker.removeAllListeners('message').on('message', (message: FromThread) => {
        listener(message);
      });
      // Listening to messages keeps a process running.
      worker.unref();
    },
    onFailure: (listener) => {
      worker.removeAllListeners('error').on('error', (error: Error) => {
        listener(error.message);
      });
      worker.removeAllListeners('exit').on('exit', () => {
        listener('it ended');
      });
    },
    terminate: () => {
      worker.removeAllListeners();
      void worker.terminate();
    },
  };
}
