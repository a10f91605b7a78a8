/** Reads a `.ctx` archive that anyone may have made: every count is held against the bytes that are there. */
import { BlobReader, TextWriter, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js/lib/zip-core-native.js';
import type { FileEntry } from '@zip.js/zip.js';
import { isNonFiniteHalf } from '../../base/fp16.ts';
import { K, MAX_LOD } from '../../core/tree/ids.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import type { ChatMessageRecord, PendingText, SpanMark, StoredSession } from '../ports.ts';
import { readTrace } from '../trace/trace-codec.ts';
import { TraceError } from '../trace/trace-error.ts';
import { withNewerParameters } from '../versions/config-upgrade.ts';
import {
  METADATA_FILE,
  metadataSchema,
  parseDocument,
  SESSION_FILE,
  sessionDocumentSchema,
  TEXT_FILE,
  textLineSchema,
  TRACE_FILE,
  WAITING_FILE,
} from './archive-documents.ts';
import type { CtxMetadata, SessionDocument, TextLine } from './archive-documents.ts';
import { faultOfNodes } from './archive-nodes.ts';
import { CtxError } from './ctx-error.ts';
import { CTX_HEADER_BYTES, decodeHeader, levelFileName } from './level-file.ts';
import type { LevelHeader } from './level-file.ts';

/** What an archive holds. */
export interface CtxArchive {
  readonly metadata: CtxMetadata;
  readonly tokens: Uint32Array;
  readonly gists: StoredSession['gists'];
  /** Null in an archive of levels and metadata alone, which any writer may make. */
  readonly session: {
    readonly document: SessionDocument;
    readonly chat: readonly ChatMessageRecord[];
    readonly marks: readonly SpanMark[];
    readonly pending: readonly PendingText[];
    readonly events: readonly TelemetryEvent[];
  } | null;
  /** The history in words; empty where the archive brings none. */
  readonly texts: readonly TextLine[];
}

export interface ReadArchiveOptions {
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

const OPTIONAL_FILES: readonly string[] = [SESSION_FILE, TEXT_FILE, TRACE_FILE, WAITING_FILE];
const LEVEL_FILES = Array.from({ length: MAX_LOD + 1 }, (_, level) => levelFileName(level));
const KNOWN_FILES: ReadonlySet<string> = new Set([METADATA_FILE, ...LEVEL_FILES, ...OPTIONAL_FILES]);

/**
 * Read and check all of an archive; nothing is left out of it in silence.
 *
 * @throws {CtxError} with the file and the byte; whatever `signal` was aborted with.
 */
export async function readArchive(archive: Blob, options: ReadArchiveOptions = {}): Promise<CtxArchive> {
  const files = await Files.open(archive, options);
  const metadata = parseDocument(metadataSchema, await files.text(METADATA_FILE), METADATA_FILE);
  checkMetadata(metadata);
  const tokens = await readTokens(files, levelFileName(0), metadata);
  checkLevels(metadata, tokens.length);
  const gists = [];
  for (const { level } of metadata.levels.slice(1)) gists.push(await readGists(files, level, metadata));
  return {
    metadata,
    tokens,
    gists,
    session: files.has(SESSION_FILE) ? await readSession(files, metadata, tokens.length) : null,
    texts: files.has(TEXT_FILE) ? textLines(await files.text(TEXT_FILE)) : [],
  };
}

/** The zip's entries, each read whole; all are stored, so none is larger than the archive. */
class Files {
  private doneBytes = 0;

  private constructor(
    private readonly entries: ReadonlyMap<string, FileEntry>,
    private readonly totalBytes: number,
    private readonly options: ReadArchiveOptions,
  ) {}

  static async open(archive: Blob, options: ReadArchiveOptions): Promise<Files> {
    const entries = new Map<string, FileEntry>();
    let totalBytes = 0;
    for (const entry of await entriesOf(archive)) {
      const name = entry.filename;
      if (entry.directory || !KNOWN_FILES.has(name)) {
        throw new CtxError('unknown-file', name, null, 'this file belongs to no session.');
      }
      if (entry.compressionMethod !== 0 || entry.encrypted) {
        throw new CtxError('compressed', name, null, 'it must be stored, neither compressed nor encrypted.');
      }
      if (entry.uncompressedSize !== entry.compressedSize || entry.uncompressedSize > archive.size) {
        throw new CtxError('sizes-disagree', name, null, 'it says that it is larger than its archive.');
      }
      entries.set(name, entry);
      totalBytes += entry.uncompressedSize;
    }
    return new Files(entries, totalBytes, options);
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  async text(name: string): Promise<string> {
    return this.read(name, (entry, options) => entry.getData(new TextWriter(), options));
  }

  async bytes(name: string): Promise<Uint8Array> {
    return this.read(name, (entry, options) => entry.getData(new Uint8ArrayWriter(), options));
  }

  private async read<T>(
    name: string,
    get: (entry: FileEntry, options: Parameters<FileEntry['getData']>[1]) => Promise<T>,
  ): Promise<T> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new CtxError('missing-file', name, null, 'the archive lacks this file.');
    const { onProgress, signal } = this.options;
    signal?.throwIfAborted();
    try {
      const content = await get(entry, {
        useWebWorkers: false,
        checkSignature: true,
        checkOverlappingEntry: true,
        ...(signal && { signal }),
      });
      this.doneBytes += entry.uncompressedSize;
      onProgress?.(this.doneBytes, this.totalBytes);
      return content;
    } catch (error) {
      signal?.throwIfAborted();
      throw new CtxError('damaged', name, null, 'its checksum does not fit its bytes.', { cause: error });
    }
  }
}

async function entriesOf(archive: Blob) {
  try {
    return await new ZipReader(new BlobReader(archive), {
      strictness: 'strict',
      useWebWorkers: false,
    }).getEntries();
  } catch (error) {
    throw new CtxError('not-an-archive', 'archive', null, 'this is no whole zip archive.', { cause: error });
  }
}

function checkMetadata({ blockSize, levels }: CtxMetadata): void {
  const fail = (message: string) => new CtxError('bad-metadata', METADATA_FILE, null, message);
  if (blockSize !== K) throw fail(`blocks of ${blockSize} children cannot be read; this page has ${K}.`);
  levels.forEach(({ level, file }, index) => {
    if (level !== index || file !== levelFileName(index)) {
      throw fail(`level ${index} must be the file “${levelFileName(index)}”, not “${file}”.`);
    }
  });
}

/** Levels hold no more than their children allow, and provenance tiles the history. */
function checkLevels({ levels, provenance, nodes = [] }: CtxMetadata, tokenCount: number): void {
  const fail = (message: string) => new CtxError('sizes-disagree', METADATA_FILE, null, message);
  levels.slice(1).forEach(({ level, entryCount }) => {
    const most = Math.floor(levels[level - 1]!.entryCount / K);
    if (entryCount > most) {
      throw fail(`level ${level} has ${entryCount} entries, but its children make ${most} at most.`);
    }
  });
  nodes.forEach((each, index) => {
    const level = levels[index];
    const fault = level?.level === each.level ? faultOfNodes(each, level.entryCount) : 'it is not there';
    if (fault !== null) throw fail(`the nodes of level ${each.level} cannot be: ${fault}.`);
  });
  let end = 0;
  for (const run of provenance) {
    if (run.start !== end || run.end <= run.start) {
      throw fail(`provenance ${run.start} to ${run.end} does not follow ${end}.`);
    }
    ({ end } = run);
  }
  if (end !== tokenCount) throw fail(`provenance ends at ${end}, the tokens at ${tokenCount}.`);
}

async function readLevel(
  files: Files,
  name: string,
  expected: Omit<LevelHeader, 'modelName'>,
): Promise<Uint8Array> {
  const bytes = await files.bytes(name);
  const header = decodeHeader(bytes.subarray(0, CTX_HEADER_BYTES), bytes.length, name);
  for (const field of ['level', 'blockSize', 'hiddenSize', 'dtype', 'entryCount'] as const) {
    if (header[field] === expected[field]) continue;
    const message = `the header says ${field} ${header[field]}, expected is ${expected[field]}.`;
    throw new CtxError('sizes-disagree', name, null, message);
  }
  return bytes.slice(CTX_HEADER_BYTES);
}

async function readTokens(
  files: Files,
  name: string,
  { model, levels }: CtxMetadata,
  entryCount = levels[0]!.entryCount,
): Promise<Uint32Array> {
  const shape = { level: 0, blockSize: K, hiddenSize: model.hiddenSize, dtype: 'uint32' } as const;
  const bytes = await readLevel(files, name, { ...shape, entryCount });
  return new Uint32Array(bytes.buffer);
}

async function readGists(files: Files, level: number, { model, levels }: CtxMetadata) {
  const { hiddenSize } = model;
  const name = levelFileName(level);
  const shape = { level, blockSize: K, hiddenSize, dtype: 'fp16' } as const;
  const bytes = await readLevel(files, name, { ...shape, entryCount: levels[level]!.entryCount });
  const values = new Uint16Array(bytes.buffer);
  const wrong = values.findIndex(isNonFiniteHalf);
  if (wrong >= 0) {
    throw new CtxError('bad-gists', name, CTX_HEADER_BYTES + 2 * wrong, 'a gist has no such component.');
  }
  return { level, hiddenSize, values };
}

async function readSession(files: Files, metadata: CtxMetadata, tokenCount: number) {
  const raw: unknown = JSON.parse(await jsonOf(files, SESSION_FILE));
  const lifted =
    typeof raw === 'object' && raw !== null && 'config' in raw
      ? { ...raw, config: withNewerParameters(raw.config) }
      : raw;
  const document = parseDocument(sessionDocumentSchema, JSON.stringify(lifted), SESSION_FILE);
  const beyond = [...document.chat, ...document.marks].find(
    ({ start, end }) => end < start || end > tokenCount,
  );
  if (beyond !== undefined) {
    const message = `the span ${beyond.start} to ${beyond.end} is not within ${tokenCount} tokens.`;
    throw new CtxError('sizes-disagree', SESSION_FILE, null, message);
  }
  return {
    document,
    chat: document.chat as readonly ChatMessageRecord[],
    marks: document.marks as readonly SpanMark[],
    pending: await readWaiting(files, metadata, document),
    events: await readEvents(files),
  };
}

/** @throws {CtxError} for what is not JSON. */
async function jsonOf(files: Files, name: string): Promise<string> {
  const text = await files.text(name);
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new CtxError('bad-metadata', name, null, 'this is not JSON.', { cause: error });
  }
}

async function readWaiting(
  files: Files,
  metadata: CtxMetadata,
  { waiting }: SessionDocument,
): Promise<readonly PendingText[]> {
  const total = waiting.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  if (total === 0 && !files.has(WAITING_FILE)) return [];
  const ids = await readTokens(files, WAITING_FILE, metadata, total);
  let start = 0;
  return waiting.map(({ documentId, title, role, tokenCount, ingested }) => {
    if (ingested > tokenCount) {
      throw new CtxError(
        'sizes-disagree',
        SESSION_FILE,
        null,
        `more of “${title}” is ingested than it holds.`,
      );
    }
    const own = ids.slice(start, (start += tokenCount));
    return { documentId, title, role, ids: own, ingested };
  });
}

async function readEvents(files: Files): Promise<readonly TelemetryEvent[]> {
  const text = await files.text(TRACE_FILE);
  try {
    return (await readTrace(text)).events;
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new CtxError('damaged', TRACE_FILE, null, `line ${error.line}: ${error.message}`, { cause: error });
  }
}

function textLines(text: string): readonly TextLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseDocument(textLineSchema, line, TEXT_FILE));
}
