/** Where tokens came from: sorted runs, looked up by binary search. */

/** Who or what the tokens came from. */
export const ROLES = ['system', 'user', 'assistant', 'document'] as const;
export type Role = (typeof ROLES)[number];

/** The origin of a run of tokens. */
export interface Provenance {
  readonly role: Role;
  readonly documentId: string;
  readonly title: string;
  readonly wallClockMs: number;
}

/** A run of tokens `start..end-1` with one origin. */
export interface ProvenanceRun extends Provenance {
  readonly start: number;
  readonly end: number;
}

const CHAT_TURN = 'turn-';

/** The document that a turn of the session's own chat is: its question and its answer. */
export function chatTurnId(start: number, wallClockMs: number): string {
  return `${CHAT_TURN}${start}-${wallClockMs}`;
}

/** The document that what opens a chat is: its system text, in the words of the base's template. */
export const CHAT_OPENING = 'chat-opening';

/** Whether a document is of the session's own chat, not something that was read. */
export function isOfChat(documentId: string): boolean {
  return documentId.startsWith(CHAT_TURN) || documentId === CHAT_OPENING;
}

const IMPORT = 'import-';
const MESSAGE = '-message-';

/** The document that a whole log is, before its messages are told apart. */
export function importId(start: number, wallClockMs: number): string {
  return `${IMPORT}${start}-${wallClockMs}`;
}

/** The document that one message of a log is. */
export function importedMessageId(log: string, index: number): string {
  return `${log}${MESSAGE}${index}`;
}

/** The log that a message belongs to; null for a document that is none. */
export function logOf(documentId: string): string | null {
  const at = documentId.lastIndexOf(MESSAGE);
  return isImportedMessage(documentId) && at >= 0 ? documentId.slice(0, at) : null;
}

/** Whether a run of tokens is of this document; a message is of its log, too. */
export function isOfDocument(run: { readonly documentId: string }, documentId: string): boolean {
  return run.documentId === documentId || logOf(run.documentId) === documentId;
}

/** Whether a document is a message of a log that was brought along. */
export function isImportedMessage(documentId: string): boolean {
  return documentId.startsWith(IMPORT);
}

/** Append-only runs that tile the history. */
export class ProvenanceRuns {
  private readonly list: ProvenanceRun[];

  constructor(runs: readonly ProvenanceRun[] = []) {
    this.list = [...runs];
  }

  get runs(): readonly ProvenanceRun[] {
    return this.list;
  }

  /** Append a run behind the last one; the same origin continues the last run. */
  append(end: number, origin: Provenance): void {
    const last = this.list.at(-1);
    const start = last?.end ?? 0;
    if (end <= start) return;
    if (last !== undefined && isSameOrigin(last, origin)) {
      this.list[this.list.length - 1] = { ...last, end };
      return;
    }
    const { role, documentId, title, wallClockMs } = origin;
    this.list.push({ start, end, role, documentId, title, wallClockMs });
  }

  /** Index of the run that holds a token, or -1. */
  indexAt(token: number): number {
    let low = 0;
    let high = this.list.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const run = this.list[middle]!;
      if (token < run.start) high = middle - 1;
      else if (token >= run.end) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** The runs that touch tokens `start..end-1`, whole. */
  overlapping(start: number, end: number): readonly ProvenanceRun[] {
    const found: ProvenanceRun[] = [];
    for (let i = Math.max(0, this.indexAt(start)); i < this.list.length; i++) {
      const run = this.list[i]!;
      if (run.start >= end) break;
      if (run.end > start) found.push(run);
    }
    return found;
  }
}

function isSameOrigin(a: Provenance, b: Provenance): boolean {
  return (
    a.role === b.role &&
    a.documentId === b.documentId &&
    a.title === b.title &&
    a.wallClockMs === b.wallClockMs
  );
}
