/** All of a session in batches that a store takes one after the other. */
import type { GistStanding, SessionBatch, SessionRecord, StoredSession } from '../../../storage/ports.ts';

type Content = Pick<
  StoredSession,
  'tokens' | 'provenance' | 'gists' | 'events' | 'chat' | 'marks' | 'pending' | 'cold'
>;

type Whole = Content & {
  /** Which GistNet made the gists; absent where all are of the session's own model. */
  readonly gistStanding?: GistStanding | null;
  readonly patch: Partial<Pick<SessionRecord, 'stepCount' | 'tags'>>;
};

/** What one batch holds at most: a transaction that a browser is never long in. */
const BATCH_TOKENS = 262_144;
const BATCH_GIST_VALUES = 524_288;
const BATCH_EVENTS = 4000;

/** They follow each other without a gap; what depends on the rest comes last. */
export function* sessionBatches(session: Whole): Generator<SessionBatch> {
  const {
    tokens,
    provenance,
    gists,
    events,
    chat,
    marks,
    pending,
    cold,
    patch,
    gistStanding = null,
  } = session;
  for (let start = 0; start < tokens.length; start += BATCH_TOKENS) {
    const end = Math.min(start + BATCH_TOKENS, tokens.length);
    const runs = provenance
      .filter((run) => run.start < end && run.end > start)
      .map((run) => ({ ...run, start: Math.max(run.start, start), end: Math.min(run.end, end) }));
    yield { tokens: { start, ids: tokens.subarray(start, end) }, provenance: runs };
  }
  for (const { level, hiddenSize, values } of gists) {
    const piece = Math.max(1, Math.floor(BATCH_GIST_VALUES / hiddenSize)) * hiddenSize;
    for (let from = 0; from < values.length; from += piece) {
      const firstIndex = from / hiddenSize;
      yield { gists: [{ level, hiddenSize, firstIndex, values: values.slice(from, from + piece) }] };
    }
  }
  for (let from = 0; from < events.length; from += BATCH_EVENTS) {
    yield { events: events.slice(from, from + BATCH_EVENTS) };
  }
  yield { chat, marks, pending, pruned: cold, patch, ...(gistStanding && { gistStanding }) };
}
