/** Writes a session as one `.ctx` archive: a zip whose entries are stored, so that they can be mapped into memory. */
import { BlobReader, BlobWriter, ZipWriter } from '@zip.js/zip.js/lib/zip-core-native.js';
import { K } from '../../core/tree/ids.ts';
import type { TelemetryEvent, TraceHeader } from '../../core/trace/telemetry.ts';
import { telemetryEventSchema, TRACE_FORMAT, TRACE_VERSION } from '../../core/trace/telemetry.ts';
import type { StoredSession } from '../ports.ts';
import { writeTraceChunks } from '../trace/trace-codec.ts';
import {
  CTX_FORMAT,
  METADATA_FILE,
  SESSION_FILE,
  TEXT_FILE,
  TRACE_FILE,
  WAITING_FILE,
} from './archive-documents.ts';
import type { ArchivedNodes } from './archive-nodes.ts';
import type { CtxMetadata, SessionDocument, TextLine } from './archive-documents.ts';
import { encodeHeader, levelFileName } from './level-file.ts';

export interface WriteArchiveOptions {
  /** d of the base that made the session; used where it holds no gists yet. */
  readonly hiddenSize: number;
  /** The text of a run of tokens. */
  readonly decode: (ids: Uint32Array) => string;
  /** What is known of the tree's nodes, level by level; absent: nothing. */
  readonly nodes?: readonly ArchivedNodes[];
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Aborting rejects with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * The session as an archive. The bytes follow from the session alone: neither its id, nor when or where it is
 * written, is in them.
 */
export async function writeArchive(session: StoredSession, options: WriteArchiveOptions): Promise<Blob> {
  const files = await filesOf(session, options);
  const totalBytes = files.reduce((sum, { content }) => sum + content.size, 0);
  const zip = new ZipWriter(new BlobWriter('application/zip'), {
    level: 0,
    useWebWorkers: false,
    extendedTimestamp: false,
    dataDescriptor: false,
    keepOrder: true,
    // The first day that a zip can name, in every time zone.
    lastModDate: new Date(1980, 0, 1),
  });
  let doneBytes = 0;
  for (const { name, content } of files) {
    const { onProgress, signal } = options;
    await zip.add(name, new BlobReader(content), {
      ...(signal && { signal }),
      onprogress: (bytes: number) => {
        onProgress?.(doneBytes + bytes, totalBytes);
        return undefined;
      },
    });
    doneBytes += content.size;
    onProgress?.(doneBytes, totalBytes);
  }
  return zip.close();
}

interface ArchiveFile {
  readonly name: string;
  readonly content: Blob;
}

async function filesOf(
  session: StoredSession,
  { hiddenSize, decode, nodes }: WriteArchiveOptions,
): Promise<readonly ArchiveFile[]> {
  const { record, tokens, gists } = session;
  const width = gists[0]?.hiddenSize ?? hiddenSize;
  const headerOf = (level: number, entryCount: number) =>
    encodeHeader({
      level,
      blockSize: K,
      hiddenSize: width,
      dtype: level === 0 ? 'uint32' : 'fp16',
      entryCount,
      modelName: record.modelId,
    });
  const levels = [
    { level: 0, entryCount: tokens.length, payload: copyOf(tokens) },
    ...[...gists]
      .sort((a, b) => a.level - b.level)
      .map(({ level, values }) => ({
        level,
        entryCount: values.length / width,
        payload: copyOf(values),
      })),
  ];
  const metadata: CtxMetadata = {
    format: CTX_FORMAT,
    version: 1,
    title: record.title,
    createdAt: record.createdAt,
    model: { id: record.modelId, hash: record.modelHash, hiddenSize: width },
    blockSize: K,
    levels: levels.map(({ level, entryCount }) => ({ file: levelFileName(level), level, entryCount })),
    provenance: session.provenance.map(({ start, end, role, documentId, title, wallClockMs }) => ({
      start,
      end,
      role,
      documentId,
      title,
      wallClockMs,
    })),
  };
  const waiting = session.pending.map(({ ids }) => ids);
  const waitingCount = waiting.reduce((sum, ids) => sum + ids.length, 0);
  return [
    { name: METADATA_FILE, content: metadataBlob(metadata, nodes) },
    ...levels.map(({ level, entryCount, payload }) => ({
      name: levelFileName(level),
      content: new Blob([headerOf(level, entryCount), payload]),
    })),
    { name: SESSION_FILE, content: jsonBlob(sessionDocumentOf(session)) },
    { name: TEXT_FILE, content: textBlob(session, decode) },
    { name: TRACE_FILE, content: await traceBlob(session) },
    ...(waitingCount > 0
      ? [{ name: WAITING_FILE, content: new Blob([headerOf(0, waitingCount), ...waiting.map(copyOf)]) }]
      : []),
  ];
}

function sessionDocumentOf({ record, chat, marks, cold, pending }: StoredSession): SessionDocument {
  return {
    stepCount: record.stepCount,
    ...(record.tags !== undefined && record.tags.length > 0 && { tags: [...record.tags] }),
    config: record.config,
    chat: chat.map((message) => ({ ...message })),
    marks: marks.map((mark) => ({ ...mark })),
    ...(cold.length > 0 && { cold: cold.map(({ lod, first, count }) => ({ lod, first, count })) }),
    waiting: pending.map(({ documentId, title, role, ids, ingested }) => ({
      documentId,
      title,
      role,
      tokenCount: ids.length,
      ingested,
    })),
  };
}

function textBlob({ tokens, provenance }: StoredSession, decode: (ids: Uint32Array) => string): Blob {
  return new Blob(
    provenance.map(({ start, end, role, documentId, title, wallClockMs }) => {
      const line: TextLine = {
        role,
        documentId,
        title,
        wallClockMs,
        text: decode(tokens.subarray(start, end)),
      };
      return `${JSON.stringify(line)}\n`;
    }),
  );
}

async function traceBlob({ record, events }: StoredSession): Promise<Blob> {
  const chunks: string[] = [];
  for await (const chunk of writeTraceChunks(headerOf(record, events), inSchemaOrder(events)))
    chunks.push(chunk);
  return new Blob(chunks);
}

/** An event's fields as its reader puts them, whoever made it: the bytes would tell otherwise. */
function* inSchemaOrder(events: readonly TelemetryEvent[]): Generator<TelemetryEvent> {
  for (const event of events) yield telemetryEventSchema.parse(event);
}

function headerOf(record: StoredSession['record'], events: readonly TelemetryEvent[]): TraceHeader {
  const began = events.find((event) => event.type === 'session');
  return {
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    createdAt: new Date(record.createdAt).toISOString(),
    modelId: record.modelId,
    modelHash: record.modelHash,
    backend: began?.backend ?? 'unknown',
    seed: record.config.seed,
    config: record.config,
  };
}

/** A level's nodes stand in one line each: their columns are long. */
function metadataBlob(metadata: CtxMetadata, nodes: readonly ArchivedNodes[] | undefined): Blob {
  if (nodes === undefined) return jsonBlob(metadata);
  const open = JSON.stringify(metadata, null, 1).slice(0, -2);
  const lines = nodes.map((level) => `\n  ${JSON.stringify(level)}`);
  return new Blob([`${open},\n "nodes": [${lines.join(',')}\n ]\n}\n`]);
}

const jsonBlob = (value: unknown): Blob => new Blob([`${JSON.stringify(value, null, 1)}\n`]);

/** Little-endian bytes of a view that may be part of a larger buffer. */
function copyOf(values: Uint32Array | Uint16Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
}
