/** Turns a run's events into a file that a user can keep, in each of the formats offered. Knows no session. */
import { chromeTrace } from '../../../core/trace/export/chrome-trace.ts';
import { csvLines } from '../../../base/table.ts';
import { metricsTable } from '../../../core/trace/export/metrics-table.ts';
import type { TelemetryEvent, TraceHeader } from '../../../core/trace/telemetry.ts';
import { compressTrace, writeTraceChunks } from '../../../storage/trace/trace-codec.ts';
import type { ExportFormat, ExportedFile } from '../protocol/protocol.ts';

type Events = Iterable<TelemetryEvent> | AsyncIterable<TelemetryEvent>;

const MEDIA: Readonly<Record<ExportFormat, { readonly ending: string; readonly type: string }>> = {
  trace: { ending: 'trace.jsonl', type: 'application/jsonl' },
  'trace-gzip': { ending: 'trace.jsonl.gz', type: 'application/gzip' },
  csv: { ending: 'metrics.csv', type: 'text/csv' },
  'chrome-trace': { ending: 'perfetto.json', type: 'application/json' },
};

/**
 * Write a run as a file, piece by piece: nothing but the file itself is held.
 *
 * @param title - what the file is named after.
 * @throws whatever reading `events` throws.
 */
export async function exportTrace(
  format: ExportFormat,
  title: string,
  header: TraceHeader,
  events: Events,
): Promise<ExportedFile> {
  const { ending, type } = MEDIA[format];
  const fileName = fileNameOf(title, ending);
  switch (format) {
    case 'trace':
      return { fileName, file: await blobOf(writeTraceChunks(header, events), type) };
    case 'trace-gzip': {
      const bytes = await compressTrace(writeTraceChunks(header, events));
      return { fileName, file: new Blob([bytes as BlobPart], { type }) };
    }
    case 'csv':
      return { fileName, file: await blobOf(csvLines(await metricsTable(events)), type) };
    case 'chrome-trace':
      return { fileName, file: await blobOf(chromeTrace(header, events), type) };
  }
}

const PIECE_CHARACTERS = 1024 * 1024;

/** A browser may move a blob's pieces out of memory; one long string would stay in it. */
export async function blobOf(chunks: Iterable<string> | AsyncIterable<string>, type: string): Promise<Blob> {
  const pieces: Blob[] = [];
  let waiting: string[] = [];
  let characters = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    characters += chunk.length;
    if (characters < PIECE_CHARACTERS) continue;
    pieces.push(new Blob(waiting));
    waiting = [];
    characters = 0;
  }
  return new Blob([...pieces, ...waiting], { type });
}

/** What a file with something of a session is called. */
export function fileNameOf(title: string, ending: string): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-|-$/g, '');
  return `${slug || 'run'}${ending === 'ctx' ? '.' : '-'}${ending}`;
}
