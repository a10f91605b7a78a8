/**
 * Files that come to the page, wherever they are dropped or chosen. Content decides what they are; what is not plain
 * from content and place is shown first, and can be changed before anything is ingested.
 */
import { createStore } from 'zustand';
import type { Problems } from './problems.ts';
import type { ReadableStore } from './readable-store.ts';
import type { QuestionRecords } from './question-records.ts';
import type { Recordings } from './recordings.ts';
import type { ModelManager } from './model-manager.ts';
import type { SessionActions } from './session-actions.ts';
import type { SessionMirror } from './session.ts';
import { readHistory } from './files/read-history.ts';
import { type FileKind, type FileReading, LARGEST_TEXT_BYTES, readKind } from './files/file-kind.ts';
import { areModel } from './files/model-files.ts';
import { type TextEncoding, decodeText } from './files/text-encoding.ts';

/** `documents` asks for texts, `page` for whatever it is. */
export type FilePlace = 'documents' | 'page';

export interface FileInReview {
  readonly id: number;
  readonly file: File;
  /** What it was taken for. */
  readonly reading: FileReading;
  /** What it will be read as. */
  readonly kind: FileKind;
  readonly encoding: TextEncoding;
  /** How it begins, read so. */
  readonly preview: string;
}

interface Parts {
  readonly recordings: Pick<Recordings, 'open'>;
  readonly questions: Pick<QuestionRecords, 'open'>;
  readonly actions: Pick<SessionActions, 'ingest' | 'importHistory' | 'run' | 'openFile'>;
  readonly models: Pick<ModelManager, 'choose'>;
  readonly mirror: SessionMirror;
  readonly problems: Problems;
}

const PREVIEW_BYTES = 2048;
const PREVIEW_CHARACTERS = 240;

export class FileIntake {
  readonly #parts: Parts;
  readonly #store = createStore<{ readonly files: readonly FileInReview[] }>()(() => ({ files: [] }));
  #nextId = 1;
  /** The session that was open when the files came: they belong to it. */
  #sessionId: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get store(): ReadableStore<{ readonly files: readonly FileInReview[] }> {
    return this.#store;
  }

  /** Take files in: at once where content and place agree, else after a look at them. */
  async accept(given: Iterable<File>, place: FilePlace): Promise<void> {
    const files = [...given];
    const sessionId = this.#openSessionId;
    if (await areModel(files)) {
      await this.#parts.models.choose(files);
      return;
    }
    this.#sessionId = sessionId;
    for (const file of files) {
      let reading: FileReading;
      try {
        reading = await readKind(file);
      } catch (error) {
        this.#parts.problems.reportError(`${file.name} could not be read`, error);
        continue;
      }
      // JSON that is no log which is known is described first: it may be one all the same.
      const isPlainText = reading.kind === 'text' && reading.isCertain && reading.log?.kind !== 'unknown';
      if (isPlainText && place === 'documents') await this.#ingest(file, 'text', reading.encoding, sessionId);
      else if (isOpened(reading.kind) && place === 'page' && files.length === 1)
        await this.#open(file, reading.kind);
      else await this.#review(file, reading);
    }
  }

  /** Read a file as something else. */
  async change(id: number, change: Partial<Pick<FileInReview, 'kind' | 'encoding'>>): Promise<void> {
    const known = this.#store.getState().files.find((each) => each.id === id);
    if (known === undefined) return;
    const changed = { ...known, ...change };
    const preview = await previewOf(changed.file, changed.encoding);
    this.#store.setState(({ files }) => ({
      files: files.map((each) => (each.id === id ? { ...changed, preview } : each)),
    }));
  }

  /** Leave a file out. */
  dismiss(id: number): void {
    this.#store.setState(({ files }) => ({ files: files.filter((each) => each.id !== id) }));
  }

  dismissAll(): void {
    this.#store.setState({ files: [] });
  }

  /** Read the files as they are shown. */
  async confirm(): Promise<void> {
    const { files } = this.#store.getState();
    const sessionId = this.#sessionId;
    this.dismissAll();
    for (const { file, kind, encoding } of files) {
      if (isOpened(kind)) await this.#open(file, kind);
      else await this.#ingest(file, kind, encoding, sessionId);
    }
  }

  async #open(file: File, kind: OpenedKind): Promise<void> {
    if (kind === 'trace') await this.#parts.recordings.open(file);
    else if (kind === 'records') await this.#parts.questions.open(file);
    else await this.#parts.actions.openFile(file);
  }

  get #openSessionId(): string | undefined {
    return this.#parts.mirror.getState().session?.record.id;
  }

  async #review(file: File, reading: FileReading): Promise<void> {
    const { kind, encoding } = reading;
    const preview = await previewOf(file, encoding);
    const inReview = { id: this.#nextId++, file, reading, kind, encoding, preview };
    this.#store.setState(({ files }) => ({ files: [...files, inReview] }));
  }

  async #ingest(
    file: File,
    kind: 'text' | 'history',
    encoding: TextEncoding,
    sessionId: string | undefined,
  ): Promise<void> {
    const { actions, problems } = this.#parts;
    const refuse = (title: string, message: string, tryNext: string) => {
      problems.report({ title, message, kept: 'Nothing of it was added.', tryNext, tone: 'error' });
    };
    if (file.size > LARGEST_TEXT_BYTES) {
      const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
      const message = `It has ${megabytes(file.size)}; at most ${megabytes(LARGEST_TEXT_BYTES)} are read.`;
      refuse(`${file.name} is too large`, message, 'Split the file.');
      return;
    }
    const text = decodeText(new Uint8Array(await file.arrayBuffer()), encoding);
    const log = kind === 'history' ? await readHistory(text) : null;
    if (this.#openSessionId !== sessionId) {
      const message = 'Another session was opened before the file was read.';
      refuse(`${file.name} was not added`, message, 'Drop it again where it belongs.');
      return;
    }
    if (log !== null && log.kind !== 'history') {
      const message = 'Read in this encoding it is no log of a chat.';
      refuse(`${file.name} was not added`, message, 'Choose another encoding, or read it as a text.');
      return;
    }
    const isAdded =
      log === null
        ? await actions.ingest(text, file.name, 'document')
        : await actions.importHistory(log.history.messages, file.name);
    if (isAdded) await actions.run();
  }
}

/** What takes the place of what is shown, where the others are added to its history. */
type OpenedKind = 'trace' | 'records' | 'session';

const isOpened = (kind: FileKind): kind is OpenedKind =>
  kind === 'trace' || kind === 'records' || kind === 'session';

async function previewOf(file: Blob, encoding: TextEncoding): Promise<string> {
  const bytes = new Uint8Array(await file.slice(0, PREVIEW_BYTES).arrayBuffer());
  const isCut = file.size > PREVIEW_BYTES;
  // The cut may go through a character; stream mode holds its first half back.
  const text = isCut
    ? new TextDecoder(encoding).decode(bytes, { stream: true })
    : decodeText(bytes, encoding);
  return text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
}
