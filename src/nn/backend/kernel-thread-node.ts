/** A worker thread of Node as a thread of the pool. */
import { parentPort } from 'node:worker_threads';
import { createThread, type ToThread } from './kernel-thread.ts';

const answer = createThread((message) => {
  parentPort!.postMessage(message);
});
parentPort!.on('message', (message: ToThread) => {
  answer(message);
});
