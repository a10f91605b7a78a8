/** The engine's worker: gives the engine a backend, a model folder by HTTP and the browser's storage. Nothing else. */
import { createFetchSource } from '../../nn/model-folder/fetch-source.ts';
import { loadModel } from '../../nn/loader/load-model.ts';
import { selectBackend } from '../../nn/backend/device.ts';
import { BROWSER_WASM_PATHS } from '../../nn/backend/wasm-paths-browser.ts';
import { openSessionStore } from '../../storage/indexeddb/open-store.ts';
import { systemClock } from '../../base/clock.ts';
import { answerMessage } from './command-port.ts';
import { Engine } from './engine.ts';
import { EngineError, toWireError } from '../session/messages/errors.ts';
import { NoticeBatcher } from './notice-batcher.ts';
import type { FromWorker } from './protocol/protocol.ts';

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

const engine = new Engine({
  async loadModel({ modelId, modelBaseUrl, backend: preference }, progress) {
    const backend = await selectBackend(preference, { wasmPaths: BROWSER_WASM_PATHS, onDeviceLost });
    const source = createFetchSource(new URL(`${encodeURIComponent(modelId)}/`, modelBaseUrl).href);
    const model = await loadModel(source, {
      onProgress: ({ file, receivedBytes, totalBytes }) => {
        progress(file, receivedBytes, totalBytes);
      },
    });
    return { model, backend };
  },
  openStore: () =>
    openSessionStore({
      onLost: (error) => {
        notices.post({ kind: 'problem', error: toWireError(error) });
      },
    }),
  clock: systemClock,
  notify: (notice) => {
    notices.post(notice);
  },
});

addEventListener('message', (event: MessageEvent<unknown>) => {
  void answerMessage(event.data, engine, notices, send);
});
