/** The engine's worker: gives the engine a backend, models and the browser's storage. Nothing else. */
import { measureBackend, measureWeightsPerSecond } from '../../nn/backend/throughput.ts';
import { selectBackend } from '../../nn/backend/device.ts';
import type { BackendId } from '../../nn/ports.ts';
import { BROWSER_WASM_PATHS } from '../../nn/backend/wasm-paths-browser.ts';
import { OpfsFileTree } from '../../storage/files/opfs-file-tree.ts';
import { openSessionStore } from '../../storage/indexeddb/open-store.ts';
import { systemClock } from '../../base/clock.ts';
import { trustOwnScripts } from '../../base/trusted-scripts.ts';
import { answerMessage } from './command-port.ts';
import { Engine } from './engine.ts';
import { ModelShelf } from './models/model-shelf.ts';
import { EngineError, toWireError } from '../session/messages/errors.ts';
import { NoticeBatcher } from './notice-batcher.ts';
import type { FromWorker } from './protocol/protocol.ts';

// It starts workers, too: the kernels' threads.
trustOwnScripts(globalThis);

const send = (message: FromWorker): void => {
  postMessage(message);
};
const notices = new NoticeBatcher((notice) => {
  send({ type: 'notice', notice });
});

function onDeviceLost(reason: string): void {
  const error = new EngineError(
    'device-lost',
    `The GPU was lost (${reason}).`,
    'Everything up to the last stored batch; the session continues from there.',
    'Nothing: the engine starts again by itself.',
  );
  send({ type: 'fatal', error: toWireError(error) });
}

function onThreadsLost(reason: string): void {
  const error = new EngineError(
    'threads-lost',
    `The threads of the processor were given up (${reason}).`,
    'Everything: one thread goes on, with the same results.',
    'Nothing. To have more threads again, choose them at the backend badge.',
  );
  notices.post({ kind: 'problem', error: toWireError(error) });
}

/** Not among the types of a page, which may not read at once. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };

let runningBackend: BackendId | null = null;

const models = new ModelShelf({
  openTree: () => OpfsFileTree.in('models'),
  estimate: async () => (await (navigator as Partial<Navigator>).storage?.estimate()) ?? null,
  onProgress: (progress) => {
    notices.post({ kind: 'modelFetch', progress });
  },
  readBlob: (blob) => new FileReaderSync().readAsArrayBuffer(blob),
  surroundings: async () => {
    const { deviceMemory } = navigator as { readonly deviceMemory?: number };
    return {
      backend: runningBackend,
      deviceMemoryBytes: deviceMemory === undefined ? null : deviceMemory * 2 ** 30,
      weightsPerSecond:
        runningBackend === null ? null : await measureWeightsPerSecond(() => systemClock.now()),
    };
  },
});

const engine = new Engine({
  models,
  async loadModel({ place, backend: preference, threads = 'auto' }, progress) {
    const backend = await selectBackend(preference, {
      wasmPaths: BROWSER_WASM_PATHS,
      onDeviceLost,
      threads,
      onThreadsLost,
    });
    runningBackend = backend.id;
    const model = await models.open(place, ({ file, receivedBytes, totalBytes }) => {
      progress(file, receivedBytes, totalBytes);
    });
    const { compromise = null } = model.base;
    const reason = compromise === null ? backend.reason : `${backend.reason} ${compromise}`;
    return { model, backend: { ...backend, reason } };
  },
  openStore: () =>
    openSessionStore({
      onLost: (error) => {
        notices.post({ kind: 'problem', error: toWireError(error) });
      },
    }),
  measureBackend: () => measureBackend(() => systemClock.now()),
  clock: systemClock,
  notify: (notice) => {
    notices.post(notice);
  },
});

addEventListener('message', (event: MessageEvent<unknown>) => {
  void answerMessage(event.data, engine, notices, send);
});
