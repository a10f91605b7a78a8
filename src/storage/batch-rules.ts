/** What every store asks of a batch before it touches anything, and how runs of provenance join. Pure. */
import { MAX_LOD } from '../core/tree/ids.ts';
import { unionRuns, withoutRuns } from '../core/tree/node-runs.ts';
import type { NodeRun } from '../core/tree/ids.ts';
import { StorageError } from './ports.ts';
import type { ChatMessageRecord, ProvenanceRun, SessionBatch, SessionId } from './ports.ts';

/** What is stored already, as far as a batch has to fit it. */
export interface StoredFacts {
  readonly tokenCount: number;
  /** Vector length of the session's gists; null before the first. */
  readonly hiddenSize: number | null;
  /** Gists stored, by level; index 0 unused. */
  readonly gistCounts: readonly number[];
}

/**
 * Refuse a batch that would tear a hole in the history.
 *
 * @throws {StorageError} `failed`; nothing was stored of the batch.
 */
export function checkBatch(batch: SessionBatch, facts: StoredFacts): void {
  const { tokens, gists = [], provenance = [] } = batch;
  if (tokens !== undefined && tokens.start !== facts.tokenCount) {
    refuse(`The tokens start at ${tokens.start}, but ${facts.tokenCount} are stored.`);
  }
  const counts = [...facts.gistCounts];
  let hiddenSize = facts.hiddenSize;
  for (const { level, firstIndex, hiddenSize: length, values, inPlace = false } of gists) {
    if (!Number.isInteger(level) || level < 1 || level > MAX_LOD) {
      refuse(`Gists have levels 1 to ${MAX_LOD}, not ${level}.`);
    }
    hiddenSize ??= length;
    if (length !== hiddenSize || length < 1 || values.length % length !== 0) {
      refuse(`${values.length} gist values are not whole vectors of the session's length ${hiddenSize}.`);
    }
    const stored = counts[level] ?? 0;
    if (!isCount(firstIndex) || firstIndex > stored) {
      refuse(`Level ${level} gists start at ${firstIndex}, but ${stored} are stored.`);
    }
    const end = firstIndex + values.length / length;
    if (inPlace && end > stored) refuse(`Level ${level} gists up to ${end} replace none that are stored.`);
    counts[level] = inPlace ? stored : end;
  }
  for (const { lod, first, count } of [...(batch.pruned ?? []), ...(batch.restored ?? [])]) {
    if (!isCount(lod) || lod > MAX_LOD || !isCount(first) || !isCount(count)) {
      refuse(`The tree has no ${count} nodes from ${first} on at level ${lod}.`);
    }
  }
  for (const { start, end } of provenance) {
    if (!isCount(start) || !isCount(end) || end <= start) {
      refuse(`A provenance run needs start < end, not ${start} to ${end}.`);
    }
  }
}

/** The nodes in the cold tier after a batch. */
export function coldAfter(cold: readonly NodeRun[], { pruned = [], restored = [] }: SessionBatch): NodeRun[] {
  return withoutRuns(unionRuns(cold, pruned), restored);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function refuse(message: string): never {
  throw new StorageError('failed', message, 'The stored session is unchanged; this batch was refused.');
}

/** The two runs as one when they describe one stretch of one document, else null. */
export function joinRuns(earlier: ProvenanceRun, later: ProvenanceRun): ProvenanceRun | null {
  const same =
    earlier.documentId === later.documentId && earlier.role === later.role && earlier.title === later.title;
  if (!same || later.start > earlier.end || later.start < earlier.start) return null;
  return { ...earlier, end: Math.max(earlier.end, later.end) };
}

/** The order in which a chat is read: by place in the history, then by clock. */
export function compareMessages(a: ChatMessageRecord, b: ChatMessageRecord): number {
  return a.start - b.start || a.end - b.end || a.createdAt - b.createdAt;
}

export function readOnlyError(): StorageError {
  return new StorageError(
    'read-only',
    'Another tab or worker writes this session; here it is open for reading.',
    'The stored session is unchanged.',
  );
}

export function closedError(what: string): StorageError {
  return new StorageError('closed', `${what} is closed.`, 'Everything acknowledged before is stored.');
}

export function notFoundError(id: SessionId): StorageError {
  return new StorageError('not-found', `There is no session ${id}.`, 'All other sessions are unchanged.');
}

export function inUseError(): StorageError {
  return new StorageError(
    'blocked',
    'The session is open for writing; close it there before it is removed.',
    'The stored session is unchanged.',
  );
}
