/**
 * The staging context at work: a head that the base never reads, refocused now and then, which lends the others what
 * it saw and counts how it served them.
 */
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { headConfig, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import type { PinnedSpan } from '../../../core/context/working-context.ts';
import { coldBelow, isStagingDue, type StagedView, stagingUse } from '../../../core/heads/staging.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { ActionRecord } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K, type NodeRun } from '../../../core/tree/ids.ts';
import type { StoredStaging } from '../../../storage/ports.ts';
import type { KeptLens } from './lens-variant.ts';
import { Head, type HeadOptions, type HeadState, type RefocusTrigger } from './head.ts';

/** Where the staging context stands: its head's state, and how long that has served. Plain data. */
export interface StagingState extends HeadState {
  /** The cursor of its last refocus; null before the first. */
  readonly seenTo: number | null;
  /** What that took, and the tokens that the one before it had served. */
  readonly refocusMs: number;
  readonly servedTokens: number;
  /** That was a pass over a question, and it moved nothing: until tokens come in, another would not either. */
  readonly isSettled: boolean;
}

interface StagingOptions extends Omit<HeadOptions, 'id' | 'state' | 'pause'> {
  /** Null begins with the recency assembly. */
  readonly state: StagingState | null;
}

export class Staging {
  private readonly head: Head;
  private config: RunConfig;
  /** The cursor of its last refocus; null before the first. */
  private seenTo: number | null;
  private refocusMs: number;
  private servedTokens: number;
  private isSettled: boolean;

  constructor(private readonly options: StagingOptions) {
    const { memory, config } = options;
    this.config = config;
    const state = options.state ?? assembledState(memory.tree, config);
    this.seenTo = state.seenTo;
    this.refocusMs = state.refocusMs;
    this.servedTokens = state.servedTokens;
    this.isSettled = state.isSettled;
    this.head = new Head({ ...options, id: STAGING_HEAD, state });
  }

  get state(): StagingState {
    const { head, seenTo, refocusMs, servedTokens, isSettled } = this;
    return { ...head.state, seenTo, refocusMs, servedTokens, isSettled };
  }

  /** What storage keeps of the refocus of this step; null where it was not refocused then. Scores are borrowed. */
  keptOf(step: number): StoredStaging | null {
    const { head, isSettled } = this;
    return head.step === step && this.seenTo !== null ? { step, isSettled, scores: head.scores } : null;
  }

  /** What it saw; null before its first refocus. */
  get view(): StagedView | null {
    return this.seenTo === null ? null : { layout: this.head.layout, scores: this.head.scores };
  }

  /** What its last refocus would have opened, had it not been cold; none where it was not refocused at this step. */
  coldAt(step: number): readonly NodeRun[] {
    const { view } = this;
    if (view === null || this.head.step !== step) return [];
    return coldBelow(view, this.options.memory.tree, this.config.tauExpand);
  }

  /** What is pinned stands raw here, too, or the heads that hold it would have to fetch it from elsewhere. */
  set pins(pins: readonly PinnedSpan[]) {
    this.isSettled = false;
    this.head.pins = pins;
  }

  setConfig(config: RunConfig): void {
    this.config = config;
    this.isSettled = false;
    this.head.setConfig(config);
  }

  useLens(kept: KeptLens | null): void {
    this.isSettled = false;
    this.head.useLens(kept);
  }

  /** @param step - the newest refocus of any head. */
  async refocusIfDue(trigger: RefocusTrigger, step: number): Promise<void> {
    const { tokenCount } = this.options.memory.tree;
    const { ageTokens, isSettled } = this;
    const isAsked = trigger === 'turn-end';
    if (!isStagingDue(ageTokens, this.config.stagingEveryTokens, isAsked, isSettled)) return;
    const { telemetry } = this.options;
    const from = telemetry.now();
    this.head.takeIn(true);
    const actions = await this.head.refocus(trigger, step);
    this.refocusMs = telemetry.now() - from;
    this.servedTokens = ageTokens ?? tokenCount;
    this.seenTo = tokenCount;
    // What it could not open may have been brought in from storage until the next pass.
    const isAtEnd = !actions.some(({ applied }) => applied) && this.coldAt(this.head.step).length === 0;
    this.isSettled = isAsked && isAtEnd;
  }

  /** Note how it served the heads' refocus of a step. @param actions - of the heads. */
  report(actions: readonly ActionRecord[], step: number): void {
    const { telemetry, memory } = this.options;
    const { layout, parameters } = this.head;
    telemetry.emit({
      ...telemetry.base(step),
      type: 'staging',
      cursor: memory.tree.tokenCount,
      budgetTokens: parameters.budgetTokens,
      usedTokens: layout.usedTokens,
      entryCount: layout.entries.length,
      ageTokens: this.ageTokens ?? 0,
      ...stagingUse({ layout }, actions),
      refocusMs: this.refocusMs,
      servedTokens: this.servedTokens,
    });
  }

  private get ageTokens(): number | null {
    return this.seenTo === null ? null : this.options.memory.tree.tokenCount - this.seenTo;
  }
}

/** Nothing was seen yet. */
function assembledState(tree: GistTree, config: RunConfig): StagingState {
  const { layout } = assembleByRecency(tree, headConfig(config, STAGING_HEAD), K);
  const allocator = INITIAL_ALLOCATOR_STATE;
  return { layout, allocator, seenTo: null, refocusMs: 0, servedTokens: 0, isSettled: false };
}
