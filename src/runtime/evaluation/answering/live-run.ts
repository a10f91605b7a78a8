/**
 * A policy of the page on a history and on questions after it, by the very loop of the chat: the window is what
 * streaming would have left, the question is asked of a session, focus settles, and the answer is decoded, which
 * refocuses on.
 */
import { refocusEveryTokens } from '../../../core/allocator/refocus-cadence.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { NO_SYSTEM_TEXT } from '../../../core/parameters/chat.ts';
import type { PolicyId } from '../../../core/parameters/policy.ts';
import type { RunTotals } from '../../../core/trace/metrics.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K } from '../../../core/tree/ids.ts';
import { planPruning } from '../../../core/tree/pruning/prune-plan.ts';
import type { PruneOrder } from '../../../core/tree/pruning/prune-plan.ts';
import { protectedStart } from '../../../core/context/moves.ts';
import type { Clock } from '../../../base/clock.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { SessionId, SessionRecord } from '../../../storage/ports.ts';
import { MultiHeadFocus, type FocusState } from '../../session/head/multi-head-focus.ts';
import { Session } from '../../session/session.ts';
import { TelemetryRecorder } from '../../session/telemetry/telemetry-recorder.ts';
import { TURN_END_REFOCUSES } from '../../session/chat/turn.ts';
import { isRouted } from '../baselines/layouts.ts';
import type { AskedQuestion } from '../cases/evaluation-case.ts';
import type { Span } from '../world/history-writer.ts';
import type { DecodedAnswer } from './answer-reader.ts';
import { GREEDY, MAX_ANSWER_TOKENS } from '../../session/decoding/greedy.ts';
import { type EntryScores, scoresOfEntries, type SeenRefocus } from './question-trace.ts';

/** Refocuses on the history alone, at most, before the first question. */
export const SETTLE_REFOCUSES = 12;

/** The working context that a question led to. */
export interface FocusedContext {
  /** The history and the question; a decoded answer may stand behind them. */
  readonly tree: GistTree;
  /** When the answer begins. */
  readonly layout: Layout;
  /** Of the question's refocuses, up to the answer. */
  readonly totals: RunTotals;
}

export interface LiveAnswer extends FocusedContext {
  readonly decoded: DecodedAnswer;
  /** Refocuses at the turn's end until the gold blocks are raw; null where they never are, or are not known. */
  readonly latency: number | null;
  /** Tokens of the question, and of what opens the answer, until then; null alike. */
  readonly latencyTokens: number | null;
  /** Of the layout's entries, when the answer begins. */
  readonly scores: EntryScores;
  /** The windows of all heads that are read, when the answer begins. */
  readonly read: readonly Layout[];
  /** All that the session told. */
  readonly events: readonly TelemetryEvent[];
}

export class LiveRun {
  private constructor(
    private readonly model: LoadedModel,
    private readonly config: RunConfig,
    private readonly clock: Clock,
    private readonly start: FocusState,
    private readonly pause: () => Promise<void>,
    /** While the history came in block by block; null where it was there at once. */
    readonly streaming: RunTotals | null,
  ) {}

  /** The window before a question. */
  get opening(): Layout {
    return this.start.heads[0]!.layout;
  }

  /**
   * Refocus from the recency assembly at the history's end until nothing moves.
   *
   * @param more - comes in behind the history afterwards, block by block, each with its refocus.
   */
  static async settle(
    policy: PolicyId,
    model: LoadedModel,
    history: GistTree,
    config: RunConfig,
    clock: Clock,
    pause: () => Promise<void>,
    more: Uint32Array = new Uint32Array(0),
  ): Promise<LiveRun> {
    // A history that is given has no opening, and none belongs between it and the question.
    const live = {
      ...config,
      ...GREEDY,
      policy,
      maxNewTokens: MAX_ANSWER_TOKENS,
      systemText: NO_SYSTEM_TEXT,
    };
    const tree = history.fork();
    const { layout } = assembleByRecency(tree, live, K);
    const start = { tree, heads: [{ layout, allocator: INITIAL_ALLOCATOR_STATE }] };
    const settling = new MultiHeadFocus(start, model, new TelemetryRecorder(clock), live);
    await settling.settle(SETTLE_REFOCUSES, async () => {
      await pause();
      return settling.refocus('block');
    });
    if (more.length === 0) return new LiveRun(model, live, clock, settling.state, pause, null);
    // A loop of its own, so that its totals are those of the stream alone.
    const streaming = new MultiHeadFocus(settling.state, model, new TelemetryRecorder(clock), live);
    const origin = { role: 'document', documentId: 'history', title: 'History', wallClockMs: 0 } as const;
    const every = refocusEveryTokens(live.refocusCadence, { waitingTokens: more.length, isPaced: false });
    await streaming.appendByBlocks(more, origin, pause, every);
    return new LiveRun(model, live, clock, streaming.state, pause, streaming.head().totals());
  }

  /**
   * The same run with raw blocks in the cold tier: what focus used least, the oldest, or some by chance. The recent
   * window and what stands in the window stay; no other rule holds anything back.
   *
   * @param share - of all blocks.
   */
  pruned(order: PruneOrder, share: number, seed: number): LiveRun {
    const tree = this.start.tree.fork();
    const { config } = this;
    const rules = {
      pruneIdleSteps: 0,
      pruneHalfLifeSteps: config.pruneHalfLifeSteps,
      pruneKeepAccesses: Infinity,
      pruneMaxDeltaNll: Infinity,
      pruneMaxShare: share,
    };
    const { runs } = planPruning({
      tree,
      rules,
      step: this.start.heads[0]!.allocator.step,
      protectedSpans: [{ start: protectedStart(tree.tokenCount, config), end: tree.tokenCount }],
      heldEntries: this.start.heads.flatMap(({ layout }) => layout.entries),
      order,
      seed,
    });
    tree.withhold(runs.filter(({ lod }) => lod === 0));
    const { model, clock, pause, streaming } = this;
    return new LiveRun(model, config, clock, { ...this.start, tree }, pause, streaming);
  }

  /** Ask a session, as the page does. @param gold - watched, never shown to it. */
  async answer({ question }: AskedQuestion, gold: readonly Span[] | null): Promise<LiveAnswer> {
    const { model, config, clock } = this;
    const focus = { ...this.start, tree: this.start.tree.fork() };
    const askedAt = focus.tree.tokenCount;
    const reached = (): boolean => gold !== null && isRouted(session.head().layout, gold);
    const at: {
      begun: Pick<LiveAnswer, 'layout' | 'totals' | 'scores' | 'read'> | null;
      refocus: SeenRefocus | null;
    } = { begun: null, refocus: null };
    const events: TelemetryEvent[] = [];
    const begin = (): NonNullable<typeof at.begun> => {
      const { layout } = session.head();
      const read = session.steps.focus.reading().map((head) => head.layout);
      return { layout, read, totals: session.totals(), scores: scoresOfEntries(layout, at.refocus) };
    };
    let latency: number | null = null;
    let latencyTokens: number | null = null;
    let turnEnds = 0;
    let tokens = 0;
    const session = new Session({
      model,
      backend: '',
      handle: null,
      record: recordOf(model, config),
      focus,
      clock,
      notify: (notice) => {
        if (notice.kind === 'answerText') {
          tokens++;
          at.begun ??= begin();
        } else if (notice.kind === 'telemetry') {
          events.push(...notice.events);
          for (const event of notice.events) {
            if (event.type !== 'refocus' || event.head !== 0 || at.begun !== null) continue;
            at.refocus = { layout: session.head().layout, event };
            if (event.trigger === 'turn-end') turnEnds++;
            if (!reached()) continue;
            latency ??= turnEnds;
            latencyTokens ??= session.memory.tree.tokenCount - askedAt;
          }
        }
      },
    });
    if (reached()) latency = latencyTokens = 0;
    try {
      const { answer } = await session.ask(question);
      await this.pause();
      const decoded = { text: answer.text, tokens };
      return { ...(at.begun ?? begin()), tree: focus.tree, decoded, latency, latencyTokens, events };
    } finally {
      await session.close();
    }
  }

  /** Take tokens in as a question and settle, decoding nothing. */
  async focus({ userIds, assistantIds }: AskedQuestion): Promise<FocusedContext> {
    const start = { ...this.start, tree: this.start.tree.fork() };
    const focus = new MultiHeadFocus(start, this.model, new TelemetryRecorder(this.clock), this.config);
    const origin = { documentId: 'turn', title: '', wallClockMs: 0 };
    await focus.appendByBlocks(userIds, { ...origin, role: 'user' }, this.pause);
    await focus.appendByBlocks(assistantIds, { ...origin, role: 'assistant' }, this.pause);
    await focus.settle(TURN_END_REFOCUSES, async () => {
      const applied = await focus.refocus('turn-end');
      await this.pause();
      return applied;
    });
    return { tree: start.tree, layout: focus.head().layout, totals: focus.head().totals() };
  }
}

function recordOf(model: LoadedModel, config: RunConfig): SessionRecord {
  return {
    id: 'evaluation' as SessionId,
    title: 'Evaluation',
    createdAt: 0,
    updatedAt: 0,
    modelId: model.id,
    modelHash: model.hash,
    tokenCount: 0,
    stepCount: 0,
    config,
  };
}
