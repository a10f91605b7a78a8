/**
 * One working context over the memory: its layout, allocator state, scorer, and the decoder that reads it. Scores,
 * allocates and records; decides nothing about when to run.
 */
import type { AnswerWork } from '../../../core/allocator/answer-pace.ts';
import type { AllocatorState } from '../../../core/allocator/pass/allocator-state.ts';
import type { PinnedSpan, Layout } from '../../../core/context/working-context.ts';
import { type RunConfig, changedIds, haveEffect } from '../../../core/trace/config.ts';
import { appendAndFit, appendRaw, restoreCoverage } from '../../../core/allocator/between-refocuses.ts';
import { K, type NodeRun } from '../../../core/tree/ids.ts';
import { actByHand } from '../../../core/allocator/manual-action.ts';
import type { ManualAction } from '../../../core/allocator/manual-action.ts';
import { MetricsAccumulator, stepMetrics } from '../../../core/trace/metrics.ts';
import type { RunTotals } from '../../../core/trace/metrics.ts';
import { POLICIES, createScorer, needsNewScorer } from '../../../core/policies/registry.ts';
import type { Scorer } from '../../../core/policies/scorer.ts';
import { protectedStart } from '../../../core/context/moves.ts';
import { CUES } from '../../../core/heads/cues.ts';
import { withCue, withoutHeld } from '../../../core/heads/head-scorer.ts';
import { headConfig, headSpecs, type HeadSpec, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { headStatistics, type HeadStatistics } from '../../../core/heads/router.ts';
import { scoredWithStaging, STAGING_PART_SLOTS, type StagedView } from '../../../core/heads/staging.ts';
import { RefocusRecorder } from '../../../core/trace/refocus-recorder.ts';
import type { HistoryWords } from '../../../core/lexical/history-words.ts';
import { countInTree } from '../../../core/allocator/node-counters.ts';
import { refocus } from '../../../core/allocator/refocus.ts';
import { SlotBuffers } from '../../../core/context/slot-view.ts';
import type { ActionRecord, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { ageLayout, windowStart } from '../../../core/context/working-context.ts';
import type { LensNet, LoadedModel } from '../../../nn/ports.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import { chatWords } from '../chat-words/chat-words.ts';
import { Decoder } from '../decoding/decoder.ts';
import type { Memory } from '../memory/memory.ts';
import { wordMatchOf } from '../memory/word-match.ts';
import { findLensNet, type KeptLens, lensNetOf } from './lens-variant.ts';
import { answerWork } from './answer-work.ts';
import { adaptedLens, PLAIN_TAIL_TOKENS, stagingLensOf } from './learned-heads.ts';
import { LookAhead } from './look-ahead.ts';
import { lendNll } from './lend-nll.ts';
import { questionParts, scoredByPart, scoredByParts } from './question-parts.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';

/** A layout of more entries is recorded without its scores. */
const MAX_RECORDED_SCORES = 4096;
/** Sentences of a question that heads divide among themselves, at most. */
const MAX_PARTS = 16;

export type RefocusTrigger = TelemetryEventOf<'refocus'>['trigger'];

/** A head's working context and what its allocator remembers. Plain data. */
export interface HeadState {
  readonly layout: Layout;
  readonly allocator: AllocatorState;
  /** `[entries]` as its last refocus left them; absent where nobody needs them before the next. */
  readonly scores?: Float32Array | undefined;
}

/** What a head knows of those beside it. */
export interface HeadSurroundings {
  /** The newest refocus of any head. */
  readonly newestStep: () => number;
  /** Blocks that heads before it hold raw beyond their recent windows. */
  readonly heldBefore: (head: number) => ReadonlySet<number>;
  /** Of all heads that the base may read. */
  readonly decoders: () => readonly Decoder[];
  /** What the staging context saw; null where there is none. */
  readonly staged: () => StagedView | null;
}

export interface HeadOptions {
  /** Names the head in the trace; 0 is the first, `STAGING_HEAD` the staging context. */
  readonly id: number;
  readonly state: HeadState;
  readonly memory: Memory;
  readonly model: LoadedModel;
  readonly telemetry: TelemetryRecorder;
  /** Of the run; the head makes its own of it. */
  readonly config: RunConfig;
  readonly around: HeadSurroundings;
  /** Awaited between the chunks of a long prefill; may throw to give up. */
  readonly pause?: (() => Promise<void>) | undefined;
}

export class Head {
  readonly id: number;
  readonly decoder: Decoder;
  /** Spans that the researcher pinned; read at every refocus. */
  pins: readonly PinnedSpan[] = [];
  private readonly memory: Memory;
  private readonly model: LoadedModel;
  private readonly telemetry: TelemetryRecorder;
  private readonly around: HeadSurroundings;
  private spec: HeadSpec;
  private config: RunConfig;
  private current: Layout;
  private allocator: AllocatorState;
  private carriedScores: Float32Array;
  private readonly recorder = new RefocusRecorder();
  private readonly metrics = new MetricsAccumulator();
  private readonly buffers = new SlotBuffers();
  /** What the policy says, and what the head makes of it. */
  private policyScorer: Scorer;
  private scorer: Scorer;
  /** Scores instead of the model's of its variant. */
  private keptLens: KeptLens | null = null;
  private turnEnd: { readonly tokenCount: number; readonly scorer: Scorer } | null = null;

  constructor({ id, state, memory, model, telemetry, config, around, pause }: HeadOptions) {
    this.id = id;
    this.memory = memory;
    this.model = model;
    this.telemetry = telemetry;
    this.around = around;
    this.config = headConfig(config, id);
    this.spec = specOf(config, id);
    this.current = state.layout;
    this.allocator = state.allocator;
    this.carriedScores = state.scores ?? new Float32Array(state.layout.entries.length);
    this.policyScorer = this.createPolicyScorer();
    this.scorer = this.headScorer(this.policyScorer);
    this.decoder = new Decoder(model.base, memory.tree, pause);
    this.decoder.beside = around.decoders;
    this.decoder.configure(this.config, model.manifest.trainedContextTokens);
  }

  get tree(): GistTree {
    return this.memory.tree;
  }

  get state(): HeadState {
    return { layout: this.current, allocator: this.allocator, scores: this.carriedScores };
  }

  get layout(): Layout {
    return this.current;
  }

  /** The run's parameters with the head's own budget and recent window. */
  get parameters(): RunConfig {
    return this.config;
  }

  /** First token of the protected recent window. */
  get recentStart(): number {
    return protectedStart(this.current.cursor, this.config);
  }

  /** What its last refocus says of it. */
  get statistics(): HeadStatistics {
    return headStatistics(this.current, this.carriedScores, this.recentStart, this.config.budgetTokens);
  }

  /** `[entries]` what its last refocus gave the entries that it left; borrowed. */
  get scores(): Float32Array {
    return this.carriedScores;
  }

  get allocatorState(): AllocatorState {
    return this.allocator;
  }

  /** The last refocus that ended. */
  get step(): number {
    return this.allocator.step;
  }

  /** Whether spans moved so lately that they may not move back: a refocus that moves nothing is then not the last. */
  get hasCooldowns(): boolean {
    return this.allocator.cooldowns.length > 0;
  }

  totals(): RunTotals {
    return this.metrics.totals();
  }

  /** Parameters for the refocuses from now on; what was evicted comes back at once if the budget now holds it. */
  setConfig(run: RunConfig): void {
    const before = this.config;
    const config = headConfig(run, this.id);
    this.config = config;
    const specBefore = this.spec;
    this.spec = specOf(run, this.id);
    const changed = changedIds(before, config);
    if (haveEffect(changed, 'scorer')) this.turnEnd = null;
    const isOtherLens = ownLensOf(this.model, before, specBefore, this.id) !== this.ownLens;
    if (needsNewScorer(before, config) || isOtherLens) this.policyScorer = this.createPolicyScorer();
    if (haveEffect(changed, 'scorer')) this.scorer = this.headScorer(this.policyScorer);
    this.decoder.configure(config, this.model.manifest.trainedContextTokens);
    if (config.budgetTokens > before.budgetTokens && windowStart(this.current) > 0) {
      const restored = restoreCoverage(this.fitInput(), K);
      this.adopt(restored);
      this.recordActions(restored.actions);
    }
  }

  /** The session's own LensNet for the refocuses from now on; null: the model's again. */
  useLens(kept: KeptLens | null): void {
    this.keptLens = kept;
    this.turnEnd = null;
    this.policyScorer = this.createPolicyScorer();
    this.scorer = this.headScorer(this.policyScorer);
  }

  /** Take what the history gained into the window. @param refocusFollows - leave it to the refocus to make room. */
  takeIn(refocusFollows: boolean): void {
    const take = refocusFollows ? appendRaw : appendAndFit;
    const fit = take(this.fitInput(), this.tree.tokenCount);
    this.adopt(fit);
    if (fit.actions.length > 0) this.recordActions(fit.actions);
  }

  /** What following an answer's token takes; null where nobody knows. */
  answerWork(): AnswerWork | null {
    const { config, model, current } = this;
    const scores = POLICIES[config.policy].needsLensNet;
    return answerWork(model.base, scores ? this.lensNet : null, current, config);
  }

  /**
   * Score, allocate and record once.
   *
   * @param step - the newest refocus of any head: this one gets the number after it.
   * @param maxActions - in one look, in place of the parameters.
   * @returns the records of its actions.
   */
  async refocus(
    trigger: RefocusTrigger,
    step: number,
    maxActions?: number,
  ): Promise<readonly ActionRecord[]> {
    const { telemetry, config } = this;
    const result = await refocus({
      layout: this.current,
      tree: this.tree,
      config: maxActions === undefined ? config : { ...config, maxActions, refineSteps: 0 },
      state: { ...this.allocator, step },
      scorer: trigger === 'turn-end' ? this.turnEndScorer() : this.scorer,
      embed: (ids) => this.model.base.embed(ids),
      tailTokens: this.tailTokens,
      words: this.words,
      pins: this.pins,
      reserveTokens: K,
      partSlots: this.isStaging ? STAGING_PART_SLOTS : undefined,
      sentPositions: (layout) => this.decoder.sentPositions(layout),
      buffers: this.buffers,
      now: () => telemetry.now(),
    });
    const from = telemetry.now();
    this.current = result.layout;
    this.allocator = result.state;
    this.carriedScores = result.carriedScores;
    this.metrics.addRefocus(result.step, result.metrics, result.actions, result.violations.length);
    const { policy, budgetTokens } = config;
    const { timeMs } = telemetry.base(result.step);
    // A wide context's scores would be most of the trace.
    const isWide = result.scores.length > MAX_RECORDED_SCORES;
    const recorded = isWide ? { ...result, scores: new Float32Array(0) } : result;
    telemetry.emit(
      ...this.recorder.record(recorded, { head: this.id, policy, budgetTokens, trigger, timeMs }),
    );
    telemetry.latency('telemetry', this.id, result.step, telemetry.now() - from);
    return result.actions;
  }

  /**
   * Expand or collapse one entry by hand. It makes a frame of its own, without scores.
   *
   * @returns the record of the action; a refused one changed nothing and made no frame.
   */
  act(action: ManualAction): ActionRecord {
    const step = this.around.newestStep() + 1;
    const before = this.current;
    const state = { ...this.allocator, step };
    const done = actByHand({ ...this.fitInput(), layout: ageLayout(before), state }, action);
    const outcome = done.actions.at(-1)!;
    if (!outcome.applied) return outcome;
    this.adopt(done);
    countInTree(this.tree, done.layout, done.actions, step);
    const { config, telemetry } = this;
    const scores = new Float32Array(0);
    const metrics = stepMetrics({
      scoredLayout: before,
      scores,
      layout: done.layout,
      actions: done.actions,
      config,
    });
    this.metrics.addActions(step, done.actions);
    const result = {
      step,
      layout: done.layout,
      state: done.state,
      carriedScores: done.scores,
      scoredLayout: before,
      scores,
      actions: done.actions,
      metrics,
      violations: [],
      rebuilt: false,
      stagesMs: { score: 0, allocate: 0 },
    };
    const { policy, budgetTokens } = config;
    const { timeMs } = telemetry.base(step);
    telemetry.emit(
      ...this.recorder.record(result, { head: this.id, policy, budgetTokens, trigger: 'manual', timeMs }),
    );
    return outcome;
  }

  /** Gists were made anew: what was read of the old ones is forgotten. */
  gistsChanged(run: NodeRun): void {
    this.decoder.forgetGists(run);
    this.turnEnd = null;
  }

  /** Give the key-value cache back. */
  dispose(): void {
    this.decoder.dispose();
  }

  /** How many of the newest tokens are the query. */
  private get tailTokens(): number {
    return this.lensNet?.tailTokens ?? PLAIN_TAIL_TOKENS;
  }

  /** The history's words, if the LensNet that scores reads them. */
  private get words(): HistoryWords | null {
    const isRead = POLICIES[this.config.policy].needsLensNet && this.lensNet?.readsWords === true;
    return isRead ? this.memory.words.matching(wordMatchOf(this.model)) : null;
  }

  private get lensNet(): LensNet | null {
    return this.ownLens ?? findLensNet(this.model, this.config.lensVariant, this.keptLens);
  }

  private adopt(next: {
    readonly layout: Layout;
    readonly state: AllocatorState;
    readonly scores: Float32Array;
  }): void {
    this.current = next.layout;
    this.allocator = next.state;
    this.carriedScores = next.scores;
  }

  private fitInput() {
    const { tree, config, pins } = this;
    return { layout: this.current, tree, config, state: this.allocator, scores: this.carriedScores, pins };
  }

  /** Actions between two refocuses; the next frame's layout shows what they did. */
  private recordActions(actions: readonly ActionRecord[]): void {
    const base = this.telemetry.base(this.step);
    this.metrics.addActions(this.step, actions);
    for (const action of actions) {
      const { kind, lod, start, end } = action;
      this.telemetry.emit({ ...base, type: 'action', head: this.id, action });
      if (kind === 'evict' || kind === 'readmit')
        this.telemetry.emit({ ...base, type: kind, head: this.id, lod, start, end });
    }
  }

  /** The same scorer as long as the history stands still, for what it has seen of it. */
  private turnEndScorer(): Scorer {
    const { tokenCount } = this.tree;
    if (this.turnEnd?.tokenCount !== tokenCount)
      this.turnEnd = { tokenCount, scorer: this.createTurnEndScorer() };
    return this.turnEnd.scorer;
  }

  private createTurnEndScorer(): Scorer {
    const { config, tree, model } = this;
    if (!POLICIES[config.policy].looksAgain) return this.scorer;
    const { tailTokens, words } = this;
    const embed = (ids: Uint32Array): Float32Array => model.base.embed(ids);
    const scorer = this.withCue(this.scoredByQuestion(embed));
    const { lookAheadPages: maxPages, budgetTokens, recentTokens } = config;
    if (maxPages === 0) return this.besideOthers(scorer);
    const pause = yieldToEvents;
    return this.besideOthers(
      new LookAhead({
        scorer,
        tree,
        embed,
        tailTokens,
        words,
        budgetTokens,
        recentTokens,
        maxPages,
        pause,
      }),
    );
  }

  /** By the question's sentences: all of them, or where that is the cue, the head's own alone. */
  private scoredByQuestion(embed: (ids: Uint32Array) => Float32Array): Scorer {
    const { config, tree, model, tailTokens, words, policyScorer, spec } = this;
    const isPart = spec.cue === 'part';
    const maxParts = isPart ? MAX_PARTS : config.questionParts;
    const { userPrefix } = chatWords(model, config);
    const { tokenizer } = model;
    const parts = questionParts({ tree, tokenizer, userPrefix, tailTokens, maxParts });
    if (parts.length === 0) return policyScorer;
    if (!isPart) return scoredByParts(policyScorer, parts, embed, words);
    return scoredByPart(policyScorer, parts[spec.ordinal % parts.length]!, embed, words);
  }

  private headScorer(scorer: Scorer): Scorer {
    return this.besideOthers(this.withCue(scorer));
  }

  private withCue(scorer: Scorer): Scorer {
    const { memory, config, spec } = this;
    const cue = CUES[spec.cue].create?.(config.budgetTokens, memory) ?? null;
    return withCue(scorer, cue, config.cueGain);
  }

  /** With what the staging context saw, and without what heads before this one hold. */
  private besideOthers(scorer: Scorer): Scorer {
    if (this.isStaging) return scorer;
    const { around, id, config } = this;
    const staged = config.stagingBudgetTokens === 0 ? scorer : scoredWithStaging(scorer, around.staged);
    return id === 0 ? staged : withoutHeld(staged, () => around.heldBefore(id), config.diversityGain);
  }

  /** Scores instead of the run's LensNet, as `ownLensOf` has it. */
  private get ownLens(): LensNet | null {
    return ownLensOf(this.model, this.config, this.spec, this.id);
  }

  private get isStaging(): boolean {
    return this.id === STAGING_HEAD;
  }

  private createPolicyScorer(): Scorer {
    const { tree, model } = this;
    return createScorer(this.config, {
      tree,
      pins: () => this.pins,
      words: this.memory.words,
      lensNet: (variant) => this.ownLens ?? lensNetOf(model, variant, this.keptLens),
      withNll: lendNll(model, tree),
    });
  }
}

/** LensNet-G for the staging context; for a head with the cue `learned`, of several, its adapted one; else null. */
function ownLensOf(model: LoadedModel, config: RunConfig, { cue }: HeadSpec, id: number): LensNet | null {
  if (id === STAGING_HEAD) return stagingLensOf(model, config);
  return cue === 'learned' ? adaptedLens(model, config.heads, id) : null;
}

/** The staging context has no cue. */
function specOf(config: RunConfig, id: number): HeadSpec {
  if (id !== STAGING_HEAD) return headSpecs(config)[id]!;
  return { cue: 'plain', ordinal: 0, budgetTokens: config.stagingBudgetTokens, isMuted: true };
}
