/**
 * Reads a trace file of unknown origin part by part, or turns it into another format. Runs in the trace worker;
 * needs neither model nor session.
 */
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import { type ReadTraceOptions, streamTrace } from '../../../storage/trace/trace-codec.ts';
import { TraceError, type TraceErrorCode } from '../../../storage/trace/trace-error.ts';
import { toWireError } from '../../session/messages/errors.ts';
import type { FromTraceWorker, ToTraceWorker } from '../protocol/traces.ts';
import type { WireError } from '../protocol/protocol.ts';
import { exportTrace } from './export-trace.ts';

const ADVICE: Readonly<Record<TraceErrorCode, string>> = {
  empty: 'Save the trace again where it was recorded.',
  'not-a-trace': 'Choose a file that was saved with “Save the trace as a file”.',
  'bad-header': 'Save the trace again where it was recorded.',
  'future-version': 'Reload the page to get its newest version.',
  'unsupported-version': 'Record the run again with this version.',
  'bad-line': 'Save the trace again where it was recorded, or cut the file before that line.',
  'bad-encoding': 'Save the trace again where it was recorded; the file was changed on its way.',
  'line-too-long': 'Save the trace again where it was recorded; this is no line that the page writes.',
  'too-large': 'Cut the file into shorter runs; each needs the header line first.',
  'damaged-gzip': 'Copy or download the file again; part of it is missing.',
};

/** Do one job and say how it goes. Never rejects: a fault is the last message. */
export async function answerTraceJob(
  job: ToTraceWorker,
  send: (message: FromTraceWorker) => void,
  options: ReadTraceOptions = {},
): Promise<void> {
  let frames = 0;
  try {
    if (job.kind === 'convert') {
      send({ type: 'file', ...(await convert(job, options)) });
      return;
    }
    const source = countedBytes(job.file);
    const parts = streamTrace(source.stream, options);
    for (;;) {
      const next = await parts.next();
      if (next.done) {
        send({ type: 'end', notes: next.value.notes });
        return;
      }
      const { header, events } = next.value;
      for (const event of events) if (event.type === 'refocus') frames++;
      send({ type: 'part', header, events, readBytes: source.readBytes() });
    }
  } catch (error) {
    send({ type: 'failed', error: wireErrorOf(error, job.kind === 'read' ? frames : 0) });
  }
}

async function convert(job: Extract<ToTraceWorker, { kind: 'convert' }>, options: ReadTraceOptions) {
  const parts = streamTrace(job.file.stream(), options);
  const first = await parts.next();
  if (first.done) throw new TraceError('empty', 1, 'The file is empty.');
  const events = async function* (): AsyncGenerator<TelemetryEvent> {
    yield* first.value.events;
    for await (const part of parts) yield* part.events;
  };
  return exportTrace(job.format, job.title, first.value.header, untilFault(events()));
}

/** What was shown of a broken file can be exported too: it ends where the file breaks. */
async function* untilFault(events: AsyncIterable<TelemetryEvent>): AsyncGenerator<TelemetryEvent> {
  try {
    yield* events;
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
  }
}

function countedBytes(file: Blob): { readonly stream: ReadableStream<Uint8Array>; readBytes(): number } {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return { stream: file.stream().pipeThrough(counter), readBytes: () => bytes };
}

function wireErrorOf(error: unknown, frames: number): WireError {
  if (!(error instanceof TraceError)) {
    const wire = toWireError(error);
    return {
      ...wire,
      kept: wire.kept || 'What was shown before.',
      tryNext: wire.tryNext || 'Choose the file again; it may have been moved or changed meanwhile.',
    };
  }
  return {
    name: error.name,
    code: error.code,
    message: error.message,
    kept:
      frames === 0
        ? 'What was shown before; nothing of the file was opened.'
        : `The ${frames} refocus steps before line ${error.line}; they are shown.`,
    tryNext: ADVICE[error.code],
  };
}
