/** What a session is made of: a model, a memory with its heads, a place to store, and someone to tell. */
import type { LoadedModel } from '../../../nn/ports.ts';
import type { ChatMessageRecord, SessionHandle, SessionRecord, SpanMark } from '../../../storage/ports.ts';
import type { Clock } from '../../../base/clock.ts';
import type { StoredStanding } from '../journal/checkpoint-keeper.ts';
import type { FocusState } from '../head/multi-head-focus.ts';
import type { SessionNotice } from '../messages/session-messages.ts';

export interface SessionOptions {
  readonly model: LoadedModel;
  /** Label of the backend, for the trace. */
  readonly backend: string;
  /** Null runs without storage. */
  readonly handle: SessionHandle | null;
  readonly record: SessionRecord;
  readonly focus: FocusState;
  readonly clock: Clock;
  readonly notify: (notice: SessionNotice) => void;
  /** What was read back from storage; absent for a new session. */
  readonly resumed?: {
    readonly timeMs: number;
    readonly chat: readonly ChatMessageRecord[];
    readonly marks: readonly SpanMark[];
    /** Documents that were hidden from focus. */
    readonly hidden: Iterable<string>;
    readonly gistsStored: readonly number[];
    readonly hasPending: boolean;
    /** Absent where nothing is stored. */
    readonly standing?: StoredStanding;
  };
}
