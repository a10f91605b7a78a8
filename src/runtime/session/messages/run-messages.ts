/** The messages about runs beside the open one: branching from a step, and reading what is to be compared. */
import { z } from '../../../base/zod.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { ChatMessageRecord, SessionRecord } from '../../../storage/ports.ts';
import type { WireError } from './wire-error.ts';

const MAX_SPANS = 4096;
const MAX_SPAN_TOKENS = 4096;
const MAX_EVENTS = 65_536;

const span = z
  .tuple([z.number().int().min(0), z.number().int().min(0)])
  .refine(([start, end]) => start <= end && end - start <= MAX_SPAN_TOKENS, {
    message: `a span has at most ${MAX_SPAN_TOKENS} tokens`,
  });

export const runSchemas = [
  /**
   * Make a session that holds what another held at a refocus step, and do there what was done after it, with
   * other parameters. The branch becomes the open session; notices tell how far it is.
   */
  z.object({
    kind: z.literal('branchSession'),
    sessionId: z.string(),
    step: z.number().int().min(1),
    title: z.string().trim().min(1).max(120),
    changes: z.record(z.string(), z.unknown()),
  }),
  /**
   * Make a session in which all is done again that was done in another, but for one document, which it never reads.
   * It becomes the open session; notices tell how far it is.
   */
  z.object({
    kind: z.literal('leaveOutDocument'),
    sessionId: z.string(),
    documentId: z.string(),
    title: z.string().trim().min(1).max(120),
  }),
  /** End the replay; what was replayed stays. */
  z.object({ kind: z.literal('stopBranch') }),
  /** A stored session's run, without opening it. */
  z.object({ kind: z.literal('readRun'), sessionId: z.string() }),
  /** Events of the open session that storage holds, in their order. */
  z.object({
    kind: z.literal('readEvents'),
    first: z.number().int().min(0),
    count: z.number().int().min(1).max(MAX_EVENTS),
  }),
  /** The texts of spans `[start, end)` of a stored session. */
  z.object({ kind: z.literal('runTexts'), sessionId: z.string(), spans: z.array(span).max(MAX_SPANS) }),
] as const;

/** How far a branch is. */
export interface BranchProgress {
  readonly branchId: string;
  readonly originalId: string;
  readonly originalTitle: string;
  /** The refocus step that it branched from; 0 for the beginning. */
  readonly step: number;
  /** The title of the document that it does without; null for a branch. */
  readonly without: string | null;
  readonly phase: 'replaying' | 'done' | 'stopped' | 'failed';
  /** Tokens of the original that came after the step; answers may be longer or shorter. */
  readonly doneTokens: number;
  readonly totalTokens: number;
  /** What could not be repeated, in words. */
  readonly notes: readonly string[];
  readonly error: WireError | null;
}

/** What a question asked beside the session came to. */
export interface ProbeResult {
  readonly answer: string;
  readonly isAnswered: boolean;
  /** The history's length and the last refocus when it was asked. */
  readonly cursor: number;
  readonly step: number;
}

export interface StoredRun {
  readonly record: SessionRecord;
  readonly events: readonly TelemetryEvent[];
  readonly chat: readonly ChatMessageRecord[];
}
