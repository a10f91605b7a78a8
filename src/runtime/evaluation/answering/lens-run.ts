/**
 * LensNet on a history and on questions after it, by the very loop of the chat: the window is what streaming would
 * have left, the question is appended, and focus settles before the answer.
 */
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/focus-allocator.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { K } from '../../../core/tree/ids.ts';
import type { RunTotals } from '../../../core/trace/metrics.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { Clock } from '../../../base/clock.ts';
import { FocusLoop, type MemoryState } from '../../session/focus-loop.ts';
import { TelemetryRecorder } from '../../session/telemetry-recorder.ts';
import { TURN_END_REFOCUSES } from '../../session/turn.ts';
import type { EvaluationCase } from '../cases/evaluation-case.ts';
import { isRouted } from '../baselines/layouts.ts';

/** Refocuses on the history alone, at most, before the first question. */
export const SETTLE_REFOCUSES = 12;
/** Refocuses after which a block that is still not raw counts as never reached. */
const MAX_LATENCY = 8;

export interface FocusedAnswer {
  readonly tree: GistTree;
  /** The working context when the answer begins. */
  readonly layout: Layout;
  /** Of the question's refocuses. */
  readonly totals: RunTotals;
  /** Refocuses after the question until the gold blocks are raw; null where they never are, or are not known. */
  readonly latency: number | null;
  /** Tokens of the question, and of what opens the answer, until then; null alike. */
  readonly latencyTokens: number | null;
}

export class LensRun {
  private constructor(
    private readonly model: LoadedModel,
    private readonly config: RunConfig,
    private readonly clock: Clock,
    private readonly memory: MemoryState,
    private readonly pause: () => Promise<void>,
  ) {}

  /**
   * Refocus from the recency assembly at the history's end until nothing moves.
   *
   * @param more - comes in behind the history afterwards, block by block, each with its refocus.
   */
  static async settle(
    model: LoadedModel,
    history: GistTree,
    config: RunConfig,
    clock: Clock,
    pause: () => Promise<void>,
    more: Uint32Array = new Uint32Array(0),
  ): Promise<LensRun> {
    const tree = history.fork();
    const { layout } = assembleByRecency(tree, config, K);
    const memory = { tree, layout, allocator: INITIAL_ALLOCATOR_STATE };
    const focus = new FocusLoop(memory, model, new TelemetryRecorder(clock), config);
    for (let pass = 0; pass < SETTLE_REFOCUSES; pass++) {
      await pause();
      if ((await focus.refocus('block')) === 0 && !focus.hasCooldowns) break;
    }
    const origin = { role: 'document', documentId: 'history', title: 'History', wallClockMs: 0 } as const;
    await appendToFocus(focus, more, origin, pause);
    const settled = { tree, layout: focus.layout, allocator: focus.allocatorState };
    return new LensRun(model, config, clock, settled, pause);
  }

  async ask({ userIds, assistantIds, gold }: EvaluationCase): Promise<FocusedAnswer> {
    const memory = { ...this.memory, tree: this.memory.tree.fork() };
    const focus = new FocusLoop(memory, this.model, new TelemetryRecorder(this.clock), this.config);
    const reached = (): boolean => gold !== null && isRouted(focus.layout, gold);
    const askedAt = focus.tree.tokenCount;
    let latencyTokens = reached() ? 0 : null;
    const look = (): Promise<void> => {
      latencyTokens ??= reached() ? focus.tree.tokenCount - askedAt : null;
      return this.pause();
    };
    const origin = { documentId: 'turn', title: '', wallClockMs: 0 };
    await appendToFocus(focus, userIds, { ...origin, role: 'user' }, look);
    await appendToFocus(focus, assistantIds, { ...origin, role: 'assistant' }, look);
    let latency = reached() ? 0 : null;
    let answer: Pick<FocusedAnswer, 'layout' | 'totals'> | null = null;
    for (let pass = 1; pass <= MAX_LATENCY; pass++) {
      const applied = await focus.refocus('turn-end');
      await look();
      if (latency === null && reached()) latency = pass;
      const isSettled = applied === 0 && !focus.hasCooldowns;
      if (isSettled || pass === TURN_END_REFOCUSES) {
        answer ??= { layout: focus.layout, totals: focus.totals() };
      }
      // Further refocuses only tell how long it would have taken.
      if (answer !== null && (isSettled || gold === null || latency !== null)) break;
    }
    return { ...answer!, tree: focus.tree, latency, latencyTokens };
  }
}

/** As the engine appends: a refocus whenever a block closes. @param onPiece - awaited after each piece. */
export async function appendToFocus(
  focus: FocusLoop,
  ids: Uint32Array,
  origin: Provenance,
  onPiece: () => Promise<void>,
): Promise<void> {
  for (let from = 0; from < ids.length;) {
    const to = Math.min(ids.length, from + focus.tokensToBlockEnd);
    await focus.append(ids.subarray(from, to), origin);
    if (focus.tree.tokenCount % K === 0) await focus.refocus('block');
    await onPiece();
    from = to;
  }
}
