/** A worker that appends until it is terminated. */
import { appendForever } from './storage-page.ts';

addEventListener('message', ({ data }: MessageEvent<string>) => {
  void appendForever(data, (tokens) => {
    postMessage(tokens);
  });
});
