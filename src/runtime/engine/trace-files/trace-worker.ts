/** The worker that reads trace files, so that neither the page nor the engine waits for a long one. */
import type { FromTraceWorker, ToTraceWorker } from '../protocol/traces.ts';
import { answerTraceJob } from './read-trace-file.ts';

addEventListener('message', ({ data }: MessageEvent<ToTraceWorker>) => {
  void answerTraceJob(data, (message: FromTraceWorker) => {
    postMessage(message);
  });
});
