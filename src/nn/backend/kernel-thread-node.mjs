// Starts `kernel-thread-node.ts` in a worker thread: Node hands its loaders to no other thread.
import { tsImport } from 'tsx/esm/api';

await tsImport('./kernel-thread-node.ts', import.meta.url);
