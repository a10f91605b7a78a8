/** The messages between the page and the worker that reads trace files: one worker a job, ended when it is done. */
import type { TelemetryEvent, TraceHeader } from '../../../core/trace/telemetry.ts';
import type { ExportFormat, ExportedFile, WireError } from './protocol.ts';

export type ToTraceWorker =
  | { readonly kind: 'read'; readonly file: Blob }
  | { readonly kind: 'convert'; readonly file: Blob; readonly title: string; readonly format: ExportFormat };

export type FromTraceWorker =
  | {
      readonly type: 'part';
      readonly header: TraceHeader;
      readonly events: readonly TelemetryEvent[];
      /** Bytes of the file read so far, compressed where it is. */
      readonly readBytes: number;
    }
  | { readonly type: 'end'; readonly notes: readonly string[] }
  | ({ readonly type: 'file' } & ExportedFile)
  | { readonly type: 'failed'; readonly error: WireError };
