/**
 * Divides a stored session at a refocus step: what stood by then, and what was done after it, as a script that
 * another run can follow. Pure; touches neither the session nor a model.
 */
import { type RunConfig, changesBetween } from '../../../core/trace/config.ts';
import { tokensPerEntry, tokensPerNode } from '../../../core/tree/ids.ts';
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import type { ManualAction } from '../../../core/allocator/manual-action.ts';
import { unionRuns, withoutRuns } from '../../../core/tree/node-runs.ts';
import type { NodeRun } from '../../../core/tree/ids.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { TelemetryEvent, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type {
  ChatMessageRecord,
  PendingText,
  ProvenanceRun,
  SessionBatch,
  SpanMark,
  StoredSession,
} from '../../../storage/ports.ts';
import { EngineError } from '../messages/errors.ts';
import type { RefocusTrigger } from '../head/head.ts';
import { TURN_END_REFOCUSES, type TurnBeginning } from '../chat/turn.ts';

/** Tokens up to `end` came in at once. */
export interface ReadPiece {
  readonly end: number;
  /** Whether a refocus followed. */
  readonly refocuses: boolean;
}

/** One thing that was done in the original after the step. */
export type ReplayAct =
  /** Tokens of the original from `start` on came in, piece by piece. */
  | {
      readonly kind: 'ingest';
      readonly start: number;
      readonly origin: Provenance;
      readonly pieces: readonly ReadPiece[];
    }
  | { readonly kind: 'turn'; readonly beginning: TurnBeginning }
  | { readonly kind: 'refocus'; readonly trigger: RefocusTrigger }
  | { readonly kind: 'move'; readonly head: number; readonly action: ManualAction }
  | { readonly kind: 'mark'; readonly mark: SpanMark }
  | { readonly kind: 'hide'; readonly documentId: string; readonly isHidden: boolean }
  | { readonly kind: 'prune' | 'restore'; readonly runs: readonly NodeRun[] }
  | { readonly kind: 'config'; readonly changes: Partial<RunConfig> };

export interface BranchPlan {
  /** The parameters in force at the step. */
  readonly config: RunConfig;
  /** Everything that the session held when the step had ended, for an empty session. */
  readonly batch: SessionBatch;
  /** The history's length at the step. */
  readonly cursor: number;
  readonly acts: readonly ReplayAct[];
  /** Texts that wait to be read. */
  readonly pending: readonly PendingText[];
  /** What was announced of the model at the step; it names a LensNet of the session's own. */
  readonly modelHash: string;
  /** Tokens of the original that the acts bring in. */
  readonly totalTokens: number;
  /** What the branch cannot repeat, in words. */
  readonly notes: readonly string[];
}

type RefocusEvent = TelemetryEventOf<'refocus'>;

/** A question with what the session knows of its turn. */
interface StoredTurn {
  readonly question: ChatMessageRecord;
  readonly answer: ChatMessageRecord | null;
  readonly documentId: string;
  /** Where its last token ends. */
  readonly end: number;
}

/** @throws {EngineError} `bad-span` if the session has no such step, or lost tokens of it. */
export function planBranch(stored: StoredSession, step: number): BranchPlan {
  // The heads of one pass share its step.
  const at = stored.events.findLastIndex((event) => event.type === 'refocus' && event.step === step);
  const frame = stored.events[at];
  if (frame?.type !== 'refocus' || frame.cursor > stored.tokens.length) {
    throw new EngineError(
      'bad-span',
      `The session "${stored.record.title}" holds no refocus step ${step}.`,
      'Nothing was changed.',
      `Choose a step from 1 to ${stored.record.stepCount}.`,
    );
  }
  const past = pastEvents(stored.events, at);
  const announced = past.findLast((event) => event.type === 'session');
  const turns = turnsOf(stored);
  const current = turnAt(turns, frame);
  const script = new ScriptWriter(stored, turns, announced?.config ?? stored.record.config);
  if (current !== null) script.resume(current, settledPasses(past, current));
  for (const event of stored.events.slice(at + 1)) script.accept(event);
  return {
    config: announced?.config ?? stored.record.config,
    batch: batchUpTo(stored, frame, past, current),
    cursor: frame.cursor,
    acts: script.acts,
    pending: stored.pending,
    modelHash: announced?.modelHash ?? stored.record.modelHash,
    totalTokens: stored.tokens.length - frame.cursor,
    notes: [...script.notes],
  };
}

/** Everything that was done in the session from its beginning, and what of it cannot be repeated, in words. */
export function planFromStart(stored: StoredSession): Omit<BranchPlan, 'batch' | 'cursor'> {
  const announced = stored.events.find((event) => event.type === 'session');
  const config = announced?.config ?? stored.record.config;
  const script = new ScriptWriter(stored, turnsOf(stored), config);
  for (const event of stored.events) script.accept(event);
  return {
    config,
    acts: script.acts,
    pending: stored.pending,
    modelHash: announced?.modelHash ?? stored.record.modelHash,
    totalTokens: stored.tokens.length,
    notes: [...script.notes],
  };
}

/** The events up to the frame, and what was noted of its step right after it. */
function pastEvents(events: readonly TelemetryEvent[], at: number): readonly TelemetryEvent[] {
  let end = at + 1;
  const isNote = (event: TelemetryEvent | undefined) =>
    event?.type === 'deltaNll' ||
    event?.type === 'sensitivity' ||
    event?.type === 'router' ||
    event?.type === 'staging' ||
    event?.type === 'prune' ||
    (event?.type === 'latency' && event.stage === 'telemetry');
  while (isNote(events[end])) end++;
  return events.slice(0, end);
}

function batchUpTo(
  stored: StoredSession,
  { step, cursor }: RefocusEvent,
  events: readonly TelemetryEvent[],
  current: StoredTurn | null,
): SessionBatch {
  const { tokens, provenance, gists, chat, marks } = stored;
  return {
    tokens: { start: 0, ids: tokens.slice(0, cursor) },
    provenance: provenance
      .filter(({ start }) => start < cursor)
      .map((run) => ({ ...run, end: Math.min(run.end, cursor) })),
    gists: gists.flatMap(({ level, hiddenSize, values }) => {
      const count = Math.min(values.length / hiddenSize, Math.floor(cursor / tokensPerNode(level)));
      return count < 1
        ? []
        : [{ level, firstIndex: 0, hiddenSize, values: values.slice(0, count * hiddenSize) }];
    }),
    events,
    chat: chat.filter(({ id, end }) => end <= cursor && id !== current?.answer?.id),
    marks: marks.filter(({ start, sinceStep = 0 }) => sinceStep <= step && start < cursor),
    pruned: coldAfterEvents(events),
    patch: { stepCount: step },
  };
}

/** The nodes that events left in the cold tier. */
function coldAfterEvents(events: readonly TelemetryEvent[]): readonly NodeRun[] {
  let cold: readonly NodeRun[] = [];
  for (const event of events) {
    if (event.type !== 'prune') continue;
    const runs = event.runs.map(({ lod, first, count }) => ({ lod, first, count }));
    cold = event.action === 'prune' ? unionRuns(cold, runs) : withoutRuns(cold, runs);
  }
  return cold;
}

function originAt(provenance: readonly ProvenanceRun[], token: number): ProvenanceRun | undefined {
  return provenance.find(({ start, end }) => start <= token && token < end);
}

function turnsOf({ chat, provenance }: StoredSession): readonly StoredTurn[] {
  return chat.flatMap((question, i) => {
    const documentId = originAt(provenance, question.start)?.documentId;
    if (question.role !== 'user' || documentId === undefined) return [];
    const next = chat[i + 1];
    const answer = next?.role === 'assistant' ? next : null;
    const last = provenance.findLast((run) => run.documentId === documentId);
    return [{ question, answer, documentId, end: answer?.end ?? last?.end ?? question.end }];
  });
}

/** The turn that was under way when the frame had been made, or null. */
function turnAt(turns: readonly StoredTurn[], { cursor, trigger }: RefocusEvent): StoredTurn | null {
  const begun = turns.findLast(({ question }) => question.start < cursor);
  if (begun === undefined) return null;
  const isSettling = trigger === 'turn-end' && cursor <= (begun.answer?.start ?? begun.end);
  return isSettling || cursor < begun.end ? begun : null;
}

/** Refocuses at the turn's end that were made already; all of them if the last one changed nothing. */
function settledPasses(past: readonly TelemetryEvent[], { question }: StoredTurn): number {
  const passes = past.filter(
    (event) =>
      event.type === 'refocus' &&
      event.head === 0 &&
      event.trigger === 'turn-end' &&
      event.cursor >= question.end,
  ) as readonly RefocusEvent[];
  const last = passes.at(-1);
  // Every head must have come to rest.
  const hasSettled =
    last !== undefined &&
    !past.some(
      (event) =>
        event.type === 'refocus' &&
        event.step === last.step &&
        event.head !== STAGING_HEAD &&
        event.actions.some(({ applied }) => applied),
    );
  return hasSettled ? TURN_END_REFOCUSES : passes.length;
}

const LATER_ACTS = 'What was done by hand or set while an answer was decoded is done after that answer.';

const UNKNOWN_SCORES =
  'Room was made right after the step, by scores that a trace does not keep: other blocks may have paid for it here.';

/** Reads the events after the step and writes down what someone did, leaving out what follows by itself. */
class ScriptWriter {
  readonly acts: ReplayAct[] = [];
  readonly notes = new Set<string>();
  /** The document of the turn that the last tokens belong to. */
  private turn: string | null = null;
  /** Of the last act that reads; grows with it. */
  private pieces: ReadPiece[] = [];
  private refocusesInTurn = 0;
  /** First token of the newest piece that came in since the last refocus; null if none did. */
  private newPiece: number | null = null;
  /** The newest frame's step, and the step after which the newest pin was set or the newest document hidden. */
  private frameStep = -1;
  private markedAtStep: number | null = null;
  private modelHash: string | null = null;
  private hasScored = false;

  constructor(
    private readonly stored: StoredSession,
    private readonly turns: readonly StoredTurn[],
    private config: RunConfig,
  ) {}

  /** Begin inside a turn. */
  resume({ question, answer, documentId }: StoredTurn, passes: number): void {
    this.turn = documentId;
    this.refocusesInTurn = 1;
    this.acts.push({
      kind: 'turn',
      beginning: { kind: 'resume', question, settledPasses: passes, ...stopOf(answer) },
    });
  }

  accept(event: TelemetryEvent): void {
    if (event.type === 'ingest') this.acceptTokens(event);
    else if (event.type === 'refocus' && isOfPass(event)) this.acceptFrame(event);
    else if (event.type === 'session') this.acceptSession(event);
    else if (event.type === 'action') this.noteMadeRoom();
    else if (event.type === 'hide') this.acceptHiding(event);
    // What the rules prune on their own they prune again.
    else if (event.type === 'prune' && event.reason === 'manual') {
      this.acts.push({ kind: event.action, runs: event.runs });
    }
  }

  private acceptTokens({ start, end, documentId }: TelemetryEventOf<'ingest'>): void {
    this.newPiece = start;
    const turn = this.turns.find((candidate) => candidate.documentId === documentId);
    if (turn === undefined) {
      this.turn = null;
      this.ingest(start, end);
    } else if (this.turn !== documentId) {
      this.turn = documentId;
      this.refocusesInTurn = 0;
      const { question, answer } = turn;
      this.acts.push({ kind: 'turn', beginning: { kind: 'ask', text: question.text, ...stopOf(answer) } });
    }
  }

  private ingest(start: number, end: number): void {
    const last = this.acts.at(-1);
    const origin = originAt(this.stored.provenance, start);
    if (origin === undefined) return;
    const { role, documentId, title, wallClockMs } = origin;
    const piece = { end, refocuses: false };
    const goesOn = last?.kind === 'ingest' && endOf(last) === start && last.origin.documentId === documentId;
    if (goesOn) this.pieces.push(piece);
    else {
      const made = { role, documentId, title, wallClockMs };
      this.pieces = [piece];
      this.acts.push({ kind: 'ingest', start, origin: made, pieces: this.pieces });
    }
  }

  private acceptFrame(event: RefocusEvent): void {
    const { step, trigger, actions, scores } = event;
    this.hasScored ||= scores.length > 0;
    const last = this.acts.at(-1);
    const byHand = actions.at(-1);
    if (trigger === 'manual' && scores.length === 0 && byHand?.reason === 'manual') {
      this.noteIfInTurn(event);
      if (actions.length > 1) this.noteMadeRoom();
      this.acts.push({ kind: 'move', head: event.head, action: handActionOf(byHand) });
    } else if (trigger === 'manual') {
      this.noteIfInTurn(event);
      // Pinning and hiding refocus by themselves.
      if (this.markedAtStep !== step - 1) this.acts.push({ kind: 'refocus', trigger });
    } else if (trigger === 'block' && this.newPiece === null) this.acts.push({ kind: 'refocus', trigger });
    else if (this.turn !== null) this.refocusesInTurn++;
    else if (last?.kind === 'ingest') this.pieces.push({ ...this.pieces.pop()!, refocuses: true });
    this.newPiece = null;
    this.frameStep = step;
    for (const mark of this.stored.marks) if (mark.sinceStep === step) this.mark(mark, step);
  }

  private acceptHiding({ documentId, hidden, step }: TelemetryEventOf<'hide'>): void {
    this.acts.push({ kind: 'hide', documentId, isHidden: hidden });
    this.markedAtStep = step;
  }

  private mark(mark: SpanMark, step: number): void {
    this.acts.push({ kind: 'mark', mark });
    if (mark.kind === 'pin') this.markedAtStep = step;
  }

  private acceptSession({ config, modelHash, step }: TelemetryEventOf<'session'>): void {
    if (this.modelHash !== null && this.modelHash !== modelHash) {
      this.notes.add(
        `The original changed its LensNet after step ${step}; the branch keeps the one it began with.`,
      );
    }
    this.modelHash = modelHash;
    const changes = changesBetween(this.config, config);
    this.config = config;
    if (Object.keys(changes).length === 0) return;
    const change: ReplayAct = { kind: 'config', changes };
    // It was announced by the refocus that it came into force with, so it goes before what led to that refocus.
    if (this.turn !== null && this.newPiece !== null && this.refocusesInTurn === 0) {
      this.acts.splice(
        this.acts.findLastIndex(({ kind }) => kind === 'turn'),
        0,
        change,
      );
    } else if (this.turn !== null) {
      this.notes.add(LATER_ACTS);
      this.acts.push(change);
    } else if (this.markedAtStep === this.frameStep) {
      this.acts.splice(
        this.acts.findLastIndex(({ kind }) => kind === 'mark' || kind === 'hide'),
        0,
        change,
      );
    } else this.acts.push(...this.splitAtNewPiece(change));
  }

  /** @returns the change, and behind it the newest piece, taken off the tokens that came in before. */
  private splitAtNewPiece(change: ReplayAct): readonly ReplayAct[] {
    const last = this.acts.at(-1);
    if (last?.kind !== 'ingest' || this.newPiece === null) return [change];
    this.acts.pop();
    const split = this.newPiece;
    if (last.start < split)
      this.acts.push({ ...last, pieces: last.pieces.filter(({ end }) => end <= split) });
    this.pieces = last.pieces.filter(({ end }) => end > split);
    return [change, { ...last, start: Math.max(last.start, split), pieces: this.pieces }];
  }

  private noteMadeRoom(): void {
    if (!this.hasScored) this.notes.add(UNKNOWN_SCORES);
  }

  private noteIfInTurn({ cursor }: RefocusEvent): void {
    const turn = this.turns.find(({ documentId }) => documentId === this.turn);
    if (turn !== undefined && cursor < turn.end) this.notes.add(LATER_ACTS);
  }
}

/** The token behind the last that came in. */
export function endOf({ pieces }: Extract<ReplayAct, { kind: 'ingest' }>): number {
  return pieces.at(-1)!.end;
}

/** All heads refocus in one pass, which the first one's frame stands for; a move by hand is one head's alone. */
function isOfPass({ head, trigger, scores }: RefocusEvent): boolean {
  return head === 0 || (trigger === 'manual' && scores.length === 0);
}

/** An answer that was stopped or interrupted is stopped again after as many tokens. */
function stopOf(answer: ChatMessageRecord | null): { readonly stopAfterTokens?: number } {
  return answer?.ending === 'stopped' || answer?.ending === 'interrupted'
    ? { stopAfterTokens: answer.end - answer.start }
    : {};
}

/** A record names the coarser span of the two; who collapses by hand names one of the finer entries. */
function handActionOf({ kind, lod, start, end }: RefocusEvent['actions'][number]): ManualAction {
  if (kind !== 'collapse') return { kind: 'expand', lod, start, end };
  const childLod = lod - 1;
  return { kind, lod: childLod, start, end: start + tokensPerEntry(childLod) };
}
