/** The storage as the engine has it, in a worker: appends until it is ended, or looks at what is there. */
import { appendForever, inspect } from './storage-page.ts';

interface Task {
  readonly task: 'append' | 'inspect';
  readonly id: string;
}

addEventListener('message', ({ data }: MessageEvent<Task>) => {
  const work = data.task === 'append' ? appendForever(data.id, postMessage) : inspect(data.id);
  work.then(
    (found) => {
      postMessage({ found });
    },
    (error: unknown) => {
      postMessage({ error: String(error) });
    },
  );
});
