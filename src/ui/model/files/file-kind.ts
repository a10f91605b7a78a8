/** What a file holds, by its content: its name may say anything. Pure but for reading. */
import { RECORDS_FORMAT } from '../../../core/question-records/record.ts';
import { TRACE_FORMAT } from '../../../core/trace/telemetry.ts';
import type { HistoryReading } from '../../../core/history-import/import-history.ts';
import { readHistory } from './read-history.ts';
import { type DetectedEncoding, decodeText, detectEncoding } from './text-encoding.ts';

/** `history` is a log of a chat or of a coding assistant, `session` a `.ctx` archive. */
export type FileKind = 'trace' | 'records' | 'session' | 'history' | 'text';

export interface FileReading extends DetectedEncoding {
  readonly kind: FileKind;
  /** What it is as a log; null for what is not read as one. */
  readonly log: HistoryReading | null;
}

/** Larger files are no logs that are taken in. */
export const LARGEST_TEXT_BYTES = 16 * 1024 * 1024;

/** More than the header of a trace takes. */
const HEAD_BYTES = 65_536;

/** A gzipped file is taken for a trace: nothing else is read so, and the trace's reader says what is wrong. */
export async function readKind(file: Blob): Promise<FileReading> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const isZipped = head[0] === 0x1f && head[1] === 0x8b;
  if (isSessionArchive(head)) return { kind: 'session', log: null, encoding: 'utf-8', isCertain: true };
  const format = isZipped ? TRACE_FORMAT : formatOf(head);
  if (format === TRACE_FORMAT || format === RECORDS_FORMAT) {
    const kind = format === TRACE_FORMAT ? 'trace' : 'records';
    return { kind, log: null, encoding: 'utf-8', isCertain: true };
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const detected = detectEncoding(bytes);
  const log =
    bytes.length > LARGEST_TEXT_BYTES ? null : await readHistory(decodeText(bytes, detected.encoding));
  return { kind: log?.kind === 'history' ? 'history' : 'text', log, ...detected };
}

/** What the first line that is not blank names as its format; null where it names none. */
function formatOf(head: Uint8Array): unknown {
  const line = new TextDecoder()
    .decode(head)
    .split('\n')
    .find((candidate) => candidate.trim() !== '');
  if (line === undefined || !line.trimStart().startsWith('{')) return null;
  try {
    return (JSON.parse(line) as { format?: unknown }).format ?? null;
  } catch {
    return null;
  }
}

/** A zip whose first entry is what every `.ctx` archive begins with. */
function isSessionArchive(head: Uint8Array): boolean {
  const isZip = head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
  return isZip && new TextDecoder('latin1').decode(head.subarray(30, 43)) === 'metadata.json';
}
