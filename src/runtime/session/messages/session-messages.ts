/** What an open session is told to do, what it answers, and what it says unasked. */
import { z } from '../../../base/zod.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { ROLES, type Role } from '../../../core/tree/provenance.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { ChatMessageRecord, ProvenanceRun, SessionRecord, SpanMark } from '../../../storage/ports.ts';
import { blockFields, headField } from './query-messages.ts';
import type { QueryResults } from './query-messages.ts';
import type { WireError } from './wire-error.ts';

/** What can be done to a span's marks: each sets one or takes it away. */
export const MARK_ACTS = ['pin', 'unpin', 'forbid', 'allow', 'tag', 'untag'] as const;
export type MarkAct = (typeof MARK_ACTS)[number];
export type ManualAct = 'expand' | 'collapse' | MarkAct;

/** More than this no log of a chat has. */
const MAX_MESSAGES = 200_000;

/** More runs of nodes than this no plan has. */
const MAX_RUNS = 1_000_000;

const nodeRunSchema = z.object({
  lod: blockFields.lod,
  first: z.number().int().min(0),
  count: z.number().int().min(1),
});

export const sessionCommandSchemas = [
  /** Queue a text for ingestion at the cursor. Rejected with a typed error when empty, binary or too large. */
  z.object({ kind: z.literal('ingestText'), text: z.string(), title: z.string(), role: z.enum(ROLES) }),
  /** Queue the messages of a log, each as a document with its role and time. Rejected when none of them is a text. */
  z.object({
    kind: z.literal('importHistory'),
    title: z.string(),
    messages: z
      .array(
        z.object({
          role: z.enum(ROLES),
          text: z.string(),
          timeMs: z.number().nullable(),
          label: z.string().nullable(),
        }),
      )
      .max(MAX_MESSAGES),
  }),
  /** Take back a document that waits; what of it is in the history stays. */
  z.object({ kind: z.literal('removeWaiting'), documentId: z.string() }),
  /** Let a document that waits be read before another, or last. */
  z.object({ kind: z.literal('moveWaiting'), documentId: z.string(), before: z.string().nullable() }),
  /** Ingest the queue continuously; `tokensPerSecond` 0 means as fast as the machine can. */
  z.object({ kind: z.literal('run'), tokensPerSecond: z.number().min(0).max(1_000_000) }),
  z.object({ kind: z.literal('pause') }),
  /** Ingest one block (up to K tokens) and refocus once. */
  z.object({ kind: z.literal('step') }),
  /** Append a user's turn, refocus, decode an answer. Ingestion pauses meanwhile and resumes after. */
  z.object({ kind: z.literal('ask'), text: z.string().min(1), ...headField }),
  /** Stop the answer being decoded; what was decoded stays in the history. */
  z.object({ kind: z.literal('stopAnswer') }),
  z.object({ kind: z.literal('setConfig'), changes: z.record(z.string(), z.unknown()) }),
  /** Move one block of a working context by hand, or mark it for all of them. `name` is what a tag says. */
  z.object({
    kind: z.literal('act'),
    action: z.enum(['expand', 'collapse', ...MARK_ACTS]),
    name: z.string().trim().min(1).max(40).optional(),
    ...blockFields,
    ...headField,
  }),
  /** Keep a document out of focus, at the coarsest level of what stands for nothing else, or let it back in. */
  z.object({ kind: z.literal('hideDocument'), documentId: z.string(), hidden: z.boolean() }),
  /** Make gists of an older GistNet anew, or pause that; states tell how far it is. */
  z.object({ kind: z.literal('renewGists'), runs: z.boolean() }),
  /** Move nodes of a dry run to the cold tier, those of them that may still go. */
  z.object({ kind: z.literal('prune'), runs: z.array(nodeRunSchema).max(MAX_RUNS) }),
  /** Take nodes back from the cold tier; all of them where none are named. */
  z.object({ kind: z.literal('restorePruned'), runs: z.array(nodeRunSchema).max(MAX_RUNS).optional() }),
  /** Refocus every head now, without new tokens. */
  z.object({ kind: z.literal('refocus') }),
] as const;

/** A text that was queued. */
export interface QueuedDocument {
  readonly documentId: string;
  readonly tokens: number;
}

export interface QueuedHistory extends QueuedDocument {
  /** Messages that are no text, such as a tool's binary output. */
  readonly leftOut: number;
}

export interface AnsweredQuestion {
  readonly question: ChatMessageRecord;
  readonly answer: ChatMessageRecord;
}

/** What each command and query answers. */
export interface SessionResults extends QueryResults {
  ingestText: QueuedDocument;
  importHistory: QueuedHistory;
  removeWaiting: SessionState;
  moveWaiting: SessionState;
  run: SessionState;
  pause: SessionState;
  step: SessionState;
  ask: AnsweredQuestion;
  stopAnswer: null;
  setConfig: SessionState;
  act: SessionState;
  hideDocument: SessionState;
  renewGists: SessionState;
  prune: SessionState;
  restorePruned: SessionState;
  refocus: SessionState;
}

/** A text in the queue, as the page lists it. */
export interface WaitingDocument {
  readonly documentId: string;
  readonly title: string;
  readonly role: Role;
  readonly tokens: number;
  /** How many of them are in the history already. */
  readonly ingested: number;
}

/** The state of the open session, sent on open and with every refocus. */
export interface SessionState {
  readonly record: Omit<SessionRecord, 'config'>;
  /** What the next refocus runs with. */
  readonly config: RunConfig;
  readonly readOnly: boolean;
  /** False while storage refuses what the session writes. */
  readonly isSaved: boolean;
  readonly cursor: number;
  /** The newest refocus of any head. */
  readonly step: number;
  readonly pendingTokens: number;
  /** How often focus is renewed while what waits is read; null: at its end alone. */
  readonly refocusEveryTokens: number | null;
  /** The documents that wait, in the order in which they will be read. */
  readonly waiting: readonly WaitingDocument[];
  readonly activity: 'idle' | 'ingesting' | 'answering';
  readonly marks: readonly SpanMark[];
  /** The documents that are hidden from focus, by id. */
  readonly hiddenDocuments: readonly string[];
  /** What is in the cold tier. */
  readonly cold: { readonly nodes: number; readonly bytes: number };
  /** Gists of an older GistNet that are left, of all, and whether they are being made anew; null where all are new. */
  readonly gistRenewal: GistRenewal | null;
}

export interface GistRenewal {
  readonly left: number;
  readonly total: number;
  readonly isRunning: boolean;
}

/** What a session says; whoever opened it adds which one it is. */
export type SessionNotice =
  | { readonly kind: 'telemetry'; readonly events: readonly TelemetryEvent[] }
  | { readonly kind: 'state'; readonly state: SessionState }
  | { readonly kind: 'provenance'; readonly run: ProvenanceRun }
  | { readonly kind: 'chat'; readonly message: ChatMessageRecord }
  | {
      readonly kind: 'answerText';
      readonly messageId: string;
      /** Who decodes it. */
      readonly head: number;
      readonly delta: string;
      readonly tokenId: number;
      /** The token's place in the history. */
      readonly index: number;
      readonly step: number;
    }
  | { readonly kind: 'problem'; readonly error: WireError };
