/** What a file holds, by its content: its name may say anything. Pure but for reading. */
import { TRACE_FORMAT } from '../../../core/trace/telemetry.ts';
import { type DetectedEncoding, detectEncoding } from './text-encoding.ts';

export type FileKind = 'trace' | 'text';

export interface FileReading extends DetectedEncoding {
  readonly kind: FileKind;
}

/** More than the header of a trace takes. */
const HEAD_BYTES = 65_536;

/** A zipped file is taken for a trace: nothing else is read zipped, and the trace's reader says what is wrong. */
export async function readKind(file: Blob): Promise<FileReading> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const isZipped = head[0] === 0x1f && head[1] === 0x8b;
  if (isZipped || isTraceHeader(head)) return { kind: 'trace', encoding: 'utf-8', isCertain: true };
  return { kind: 'text', ...detectEncoding(new Uint8Array(await file.arrayBuffer())) };
}

/** The first line that is not blank is an object which names the format. */
function isTraceHeader(head: Uint8Array): boolean {
  const line = new TextDecoder()
    .decode(head)
    .split('\n')
    .find((candidate) => candidate.trim() !== '');
  if (line === undefined || !line.trimStart().startsWith('{')) return false;
  try {
    return (JSON.parse(line) as { format?: unknown }).format === TRACE_FORMAT;
  } catch {
    return false;
  }
}
