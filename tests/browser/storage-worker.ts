/** The storage as the engine has it, in a worker: appends until it is ended, or looks at what is there. */
import { appendForever, inspect, migrateForever, type StorageTask } from './storage-page.ts';

function workOn({ task, id }: StorageTask): Promise<unknown> {
  switch (task) {
    case 'append':
      return appendForever(id, postMessage);
    case 'inspect':
      return inspect(id);
    case 'migrate':
      return migrateForever(() => {
        postMessage({});
      });
  }
}

addEventListener('message', ({ data }: MessageEvent<StorageTask>) => {
  workOn(data).then(
    (found) => {
      postMessage({ found });
    },
    (error: unknown) => {
      postMessage({ error: String(error) });
    },
  );
});
