/** The page's side of the trace worker: starts one a job, ends it with the job or when it is cancelled. */
import type { FromTraceWorker, ToTraceWorker } from './protocol/traces.ts';
import { RemoteError } from '../session/messages/errors.ts';
import type { ExportFormat, ExportedFile } from './protocol/protocol.ts';

export type TracePart = Extract<FromTraceWorker, { type: 'part' }>;

/**
 * Read a trace file; parts arrive in order, also those before a fault.
 *
 * @returns what was left out, in words.
 * @throws {RemoteError} what is wrong with the file; {DOMException} `AbortError` when cancelled.
 */
export async function readTraceFile(
  file: Blob,
  onPart: (part: TracePart) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const last = await job({ kind: 'read', file }, onPart, signal);
  return last.type === 'end' ? last.notes : [];
}

/** Write the trace in a file in another format. @throws {RemoteError} */
export async function convertTraceFile(
  file: Blob,
  title: string,
  format: ExportFormat,
): Promise<ExportedFile> {
  const last = await job({ kind: 'convert', file, title, format }, () => {}, new AbortController().signal);
  if (last.type !== 'file') throw new Error('The trace worker answered something else.');
  return last;
}

type LastMessage = Extract<FromTraceWorker, { type: 'end' | 'file' }>;

function job(
  message: ToTraceWorker,
  onPart: (part: TracePart) => void,
  signal: AbortSignal,
): Promise<LastMessage> {
  return new Promise<LastMessage>((resolve, reject) => {
    signal.throwIfAborted();
    const worker = new Worker(new URL('./trace-files/trace-worker.ts', import.meta.url), {
      type: 'module',
      name: 'traces',
    });
    const end = (settle: () => void) => {
      worker.terminate();
      signal.removeEventListener('abort', abort);
      settle();
    };
    const abort = () => {
      end(() => {
        reject(signal.reason as Error);
      });
    };
    signal.addEventListener('abort', abort);
    worker.onmessage = ({ data }: MessageEvent<FromTraceWorker>) => {
      if (data.type === 'part') onPart(data);
      else if (data.type === 'failed') {
        end(() => {
          reject(new RemoteError(data.error));
        });
      } else {
        end(() => {
          resolve(data);
        });
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(() => {
        reject(new RemoteError(outOfMemory(event.message)));
      });
    };
    worker.postMessage(message);
  });
}

function outOfMemory(message: string) {
  return {
    name: 'TraceError',
    code: 'worker-crashed',
    message: `The file could not be read to its end. ${message}`.trim(),
    kept: 'What was shown before.',
    tryNext: 'Close other tabs, or open a shorter trace.',
  };
}
