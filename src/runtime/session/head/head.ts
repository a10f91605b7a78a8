/**
 * The loop from new tokens to a refocused working context: append, make gists, score, allocate, record. Owns
 * the layout and the allocator's state of one session; decides nothing about when to run.
 */
import type { AllocatorState } from '../../../core/allocator/pass/allocator-state.ts';
import type { PinnedSpan, Layout } from '../../../core/context/working-context.ts';
import { type RunConfig, changedIds, haveEffect } from '../../../core/trace/config.ts';
import { appendAndFit } from '../../../core/allocator/between-refocuses.ts';
import { K } from '../../../core/tree/ids.ts';
import { actByHand } from '../../../core/allocator/manual-action.ts';
import type { ManualAction } from '../../../core/allocator/manual-action.ts';
import { MetricsAccumulator, stepMetrics } from '../../../core/trace/metrics.ts';
import type { RunTotals } from '../../../core/trace/metrics.ts';
import { POLICIES, createScorer, needsNewScorer } from '../../../core/policies/registry.ts';
import type { Scorer } from '../../../core/policies/scorer.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import { RefocusRecorder } from '../../../core/trace/refocus-recorder.ts';
import { countInTree } from '../../../core/allocator/node-counters.ts';
import { refocus } from '../../../core/allocator/refocus.ts';
import { SlotBuffers } from '../../../core/context/slot-view.ts';
import type { ActionRecord, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { ageLayout } from '../../../core/context/working-context.ts';
import type { LensNet, LoadedModel } from '../../../nn/ports.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import { GistBuilder } from '../memory/gist-builder.ts';
import { lensNetOf } from './lens-variant.ts';
import { LookAhead } from './look-ahead.ts';
import { lendNll } from './lend-nll.ts';
import { questionTails, scoredByTails } from './question-parts.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';

export type RefocusTrigger = TelemetryEventOf<'refocus'>['trigger'];

/** The only working context yet. */
const HEAD = 0;

/** A session's memory as it starts or was read back. */
export interface MemoryState {
  readonly tree: GistTree;
  readonly layout: Layout;
  readonly allocator: AllocatorState;
}

export class FocusLoop {
  readonly tree: GistTree;
  readonly gists: GistBuilder;
  /** Spans that the researcher pinned; read at every refocus. */
  pins: readonly PinnedSpan[] = [];
  private current: Layout;
  private allocator: AllocatorState;
  private carriedScores: Float32Array;
  private readonly recorder = new RefocusRecorder();
  private readonly metrics = new MetricsAccumulator();
  private readonly buffers = new SlotBuffers();
  private scorer: Scorer;
  /** What scores by `default`: the model's own net, or the one kept for the session. */
  private ownLens: LensNet;
  private turnEnd: { readonly tokenCount: number; readonly scorer: Scorer } | null = null;

  constructor(
    memory: MemoryState,
    private readonly model: LoadedModel,
    private readonly telemetry: TelemetryRecorder,
    private config: RunConfig,
  ) {
    this.tree = memory.tree;
    this.current = memory.layout;
    this.allocator = memory.allocator;
    this.carriedScores = new Float32Array(memory.layout.entries.length);
    this.gists = new GistBuilder(memory.tree, model.gistNet, model.base);
    this.ownLens = model.lensNet;
    this.scorer = this.createScorer();
  }

  get layout(): Layout {
    return this.current;
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

  /** Tokens until a block closes and a refocus is due. */
  get tokensToBlockEnd(): number {
    return K - (this.tree.tokenCount % K);
  }

  totals(): RunTotals {
    return this.metrics.totals();
  }

  /** Parameters for the refocuses from now on. */
  setConfig(config: RunConfig): void {
    const before = this.config;
    this.config = config;
    if (haveEffect(changedIds(before, config), 'scorer')) this.turnEnd = null;
    if (needsNewScorer(before, config)) this.scorer = this.createScorer();
  }

  /** The default LensNet for the refocuses from now on; borrowed. */
  useLens(lensNet: LensNet): void {
    this.ownLens = lensNet;
    this.turnEnd = null;
    this.scorer = this.createScorer();
  }

  /** Take tokens into history, gists and window. At most up to the end of the open block keeps the budget exact. */
  async append(ids: Uint32Array, origin: Provenance): Promise<void> {
    const { telemetry, tree } = this;
    const from = telemetry.now();
    const { start, end } = tree.appendTokens(ids, origin, this.step);
    const { role, documentId } = origin;
    telemetry.emit({ ...telemetry.base(this.step), type: 'ingest', start, end, role, documentId });
    const ingestMs = telemetry.now() - from;
    if (tree.pendingGistCount > 0) {
      await telemetry.timed('gist', null, this.step, () => this.makeGists());
    }
    const fittingFrom = telemetry.now();
    const fit = appendAndFit(this.fitInput(), end);
    this.adopt(fit);
    if (fit.actions.length > 0) this.recordActions(fit.actions);
    telemetry.latency('ingest', null, this.step, ingestMs + telemetry.now() - fittingFrom);
  }

  /** Make every gist that is missing, lowest level first. */
  async makeGists(onBatch: (made: number) => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { telemetry } = this;
    let made = 0;
    for (let built = await this.gists.buildNext(this.step); built !== null;) {
      const { lod, firstIndex, count, notFinite } = built;
      telemetry.emit({ ...telemetry.base(this.step), type: 'gist', lod, firstIndex, count });
      if (notFinite > 0) {
        const message = `${notFinite} LOD${lod} gists from ${firstIndex} on were not finite; their children's mean stands in.`;
        telemetry.emit({
          ...telemetry.base(this.step),
          type: 'violation',
          head: null,
          check: 'gist-finite',
          message,
          action: 'rolled-back',
        });
      }
      made += count;
      await onBatch(made);
      built = await this.gists.buildNext(this.step);
    }
  }

  /**
   * Score, allocate and record once.
   *
   * @returns how many actions were applied.
   */
  async refocus(trigger: RefocusTrigger): Promise<number> {
    const { telemetry, config } = this;
    const result = await refocus({
      layout: this.current,
      tree: this.tree,
      config,
      state: this.allocator,
      scorer: trigger === 'turn-end' ? this.turnEndScorer() : this.scorer,
      embed: (ids) => this.model.base.embed(ids),
      tailTokens: this.lensNet.tailTokens,
      pins: this.pins,
      reserveTokens: K,
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
    telemetry.emit(...this.recorder.record(result, { head: HEAD, policy, budgetTokens, trigger, timeMs }));
    telemetry.latency('telemetry', HEAD, result.step, telemetry.now() - from);
    return result.actions.filter((action) => action.applied).length;
  }

  /**
   * Expand or collapse one entry by hand. It makes a frame of its own, without scores.
   *
   * @returns the record of the action; a refused one changed nothing and made no frame.
   */
  act(action: ManualAction): ActionRecord {
    const step = this.step + 1;
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
      ...this.recorder.record(result, { head: HEAD, policy, budgetTokens, trigger: 'manual', timeMs }),
    );
    return outcome;
  }

  private get lensNet(): LensNet {
    return lensNetOf(this.model, this.config.lensVariant, this.ownLens);
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
      this.telemetry.emit({ ...base, type: 'action', head: HEAD, action });
      if (kind === 'evict' || kind === 'readmit')
        this.telemetry.emit({ ...base, type: kind, head: HEAD, lod, start, end });
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
    const { tailTokens } = this.lensNet;
    const embed = (ids: Uint32Array): Float32Array => model.base.embed(ids);
    const tails = questionTails({ tree, model, tailTokens, maxParts: config.questionParts });
    const scorer = tails.length === 0 ? this.scorer : scoredByTails(this.scorer, tails, embed);
    const { lookAheadPages: maxPages, budgetTokens, recentTokens } = config;
    if (maxPages === 0) return scorer;
    const pause = yieldToEvents;
    return new LookAhead({ scorer, tree, embed, tailTokens, budgetTokens, recentTokens, maxPages, pause });
  }

  private createScorer(): Scorer {
    const { tree, model } = this;
    return createScorer(this.config, {
      tree,
      pins: () => this.pins,
      lensNet: (variant) => lensNetOf(model, variant, this.ownLens),
      withNll: lendNll(model, tree),
    });
  }
}
