/**
 * One whole refocus: score, allocate, refine, check. It has no clock and touches nothing but the tree's access
 * counters; the caller publishes the result.
 */
import { allocate } from './focus-allocator.ts';
import type { AllocatorState } from './pass/allocator-state.ts';
import type { PinnedSpan, Layout } from '../context/working-context.ts';
import { assembleByRecency } from './assembly.ts';
import type { RunConfig } from '../trace/config.ts';
import { checkInvariants } from '../context/invariants.ts';
import type { SentPositions, Violation } from '../context/invariants.ts';
import { stepMetrics } from '../trace/metrics.ts';
import type { RefocusOutcome } from '../trace/refocus-recorder.ts';
import { countInTree } from './node-counters.ts';
import type { Scorer } from '../policies/scorer.ts';
import { entryScores, sanitiseScores } from '../policies/scores.ts';
import { bringInGists, buildSlotView } from '../context/slot-view.ts';
import type { Embed, SlotBuffers } from '../context/slot-view.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import type { HistoryWords } from '../lexical/history-words.ts';
import type { GistTree } from '../tree/gist-tree.ts';

export interface RefocusInput {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly config: RunConfig;
  readonly state: AllocatorState;
  readonly scorer: Scorer;
  readonly embed: Embed;
  /** How many of the newest tokens the scorer reads as its query. */
  readonly tailTokens: number;
  /** Of the tree's history, where the scorer reads words. */
  readonly words?: HistoryWords | null;
  readonly pins?: readonly PinnedSpan[];
  /** Budget kept free for tokens that arrive before the next refocus; K makes forced collapses between rare. */
  readonly reserveTokens?: number;
  /** Slots that are scored at once at most, neighbours together; a wide context's cost then grows linearly. */
  readonly partSlots?: number | undefined;
  /** Where the decoder sends a layout's slots; they are checked with the layout. */
  readonly sentPositions?: (layout: Layout) => SentPositions;
  /** Instead of the focus allocator: whatever it gives is checked. */
  readonly allocate?: typeof allocate;
  readonly buffers?: SlotBuffers;
  /** Milliseconds, for the stage timings. */
  readonly now: () => number;
}

export interface RefocusResult extends RefocusOutcome {
  readonly state: AllocatorState;
  /** `[layout.entries.length]` scores carried over to the new layout, for `appendAndFit`. */
  readonly carriedScores: Float32Array;
}

interface Progress {
  layout: Layout;
  state: AllocatorState;
  carriedScores: Float32Array;
  readonly actions: ActionRecord[];
  readonly violations: Violation[];
  firstScores: Float32Array | null;
  scoreMs: number;
  allocateMs: number;
}

/** @throws whatever the scorer throws, and ScoreError; the layout, state and tree are then as before. */
export async function refocus(input: RefocusInput): Promise<RefocusResult> {
  const { tree, config, layout } = input;
  const progress: Progress = {
    layout,
    state: input.state,
    carriedScores: new Float32Array(layout.entries.length),
    actions: [],
    violations: [],
    firstScores: null,
    scoreMs: 0,
    allocateMs: 0,
  };
  for (let pass = 0; pass <= config.refineSteps; pass++) {
    const isDone = await runPass(input, progress, pass);
    if (isDone) break;
  }
  const sent = input.sentPositions?.(progress.layout);
  progress.violations.push(
    ...checkInvariants(progress.layout, tree, config, {
      previous: layout,
      ...(sent === undefined ? {} : { sent }),
    }),
  );
  // Scores that are not finite were left out already; there is nothing to roll back.
  const rebuilt = progress.violations.some((violation) => violation.check !== 'scores');
  if (rebuilt) rebuild(input, progress);
  const scores = progress.firstScores ?? new Float32Array(layout.entries.length);
  countInTree(tree, progress.layout, progress.actions, progress.state.step);
  return {
    step: progress.state.step,
    layout: progress.layout,
    state: progress.state,
    carriedScores: progress.carriedScores,
    scores,
    actions: progress.actions,
    metrics: stepMetrics({
      scoredLayout: layout,
      scores,
      layout: progress.layout,
      actions: progress.actions,
      config,
    }),
    violations: progress.violations,
    rebuilt,
    stagesMs: { score: progress.scoreMs, allocate: progress.allocateMs },
  };
}

/** @returns true if no further pass can change anything. */
async function runPass(input: RefocusInput, progress: Progress, pass: number): Promise<boolean> {
  const { config, tree } = input;
  const scoringFrom = input.now();
  const step = pass === 0 ? progress.state.step + 1 : progress.state.step;
  const scores = await scoreEntries(input, progress, step);
  progress.firstScores ??= scores;
  const allocatingFrom = input.now();
  progress.scoreMs += allocatingFrom - scoringFrom;
  const allocation = (input.allocate ?? allocate)({
    layout: progress.layout,
    scores,
    tree,
    config,
    state: progress.state,
    pass,
    pins: input.pins ?? [],
    reserveTokens: input.reserveTokens ?? 0,
  });
  progress.layout = allocation.layout;
  progress.state = allocation.state;
  progress.carriedScores = allocation.scores;
  progress.actions.push(...allocation.actions);
  progress.allocateMs += input.now() - allocatingFrom;
  return !allocation.actions.some(mayReveal) || allocation.state.actionsTaken >= config.maxActions;
}

/**
 * Whether a move is a reason to score again: one that the scores asked for may have brought something worth another.
 * A block that was forced out by the budget has not, and nearly every refocus while text streams in forces one.
 */
function mayReveal({ applied, reason }: ActionRecord): boolean {
  return applied && reason !== 'over-budget' && reason !== 'cooldown-overruled';
}

async function scoreEntries(input: RefocusInput, progress: Progress, step: number): Promise<Float32Array> {
  const { layout } = progress;
  if (layout.entries.length === 0) return new Float32Array(0);
  const { tree, embed, tailTokens, words = null, config } = input;
  const given = new Float32Array(layout.entries.length);
  let first = 0;
  await bringInGists(layout, tree);
  for (const part of partsOf(layout, input.partSlots ?? Infinity)) {
    const view = buildSlotView(
      { layout: part, tree, embed, tailTokens, words, scoredTokens: config.scoredTokens, step },
      input.buffers,
    );
    given.set(entryScores(view, await input.scorer.score(view)), first);
    first += part.entries.length;
  }
  const { scores, notFinite } = sanitiseScores(given);
  if (notFinite === 0) return scores;
  const message = `${input.scorer.id} (policy ${config.policy}) gave ${notFinite} scores that are not finite; none was used`;
  progress.violations.push({ check: 'scores', message });
  return scores.fill(0);
}

/** The layout cut between entries, each part of at most so many slots, or of one entry; all stand at its cursor. */
function* partsOf(layout: Layout, partSlots: number): Generator<Layout> {
  if (layout.usedTokens <= partSlots) {
    yield layout;
    return;
  }
  const { entries, residency, cursor } = layout;
  for (let from = 0; from < entries.length;) {
    let usedTokens = entries[from]!.cost;
    let to = from + 1;
    while (to < entries.length && usedTokens + entries[to]!.cost <= partSlots)
      usedTokens += entries[to++]!.cost;
    yield { entries: entries.slice(from, to), residency: residency.subarray(from, to), usedTokens, cursor };
    from = to;
  }
}

/** Undo the step and start over from the tree; the step still counts. */
function rebuild(input: RefocusInput, progress: Progress): void {
  const assembly = assembleByRecency(input.tree, input.config, input.reserveTokens);
  progress.layout = assembly.layout;
  progress.state = { ...input.state, step: progress.state.step };
  progress.carriedScores = new Float32Array(assembly.layout.entries.length);
  progress.actions.length = 0;
  progress.actions.push(...assembly.evictions);
}
