/** A browser's worker as a thread of the pool. */
import { createThread, type ToThread } from './kernel-thread.ts';

const answer = createThread((message) => {
  postMessage(message);
});
addEventListener('message', ({ data }: MessageEvent<ToThread>) => {
  answer(data);
});
