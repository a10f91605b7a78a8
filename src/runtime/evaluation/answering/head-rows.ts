/**
 * What heads made of questions, as router and merger learn from it: what each head's scores say of it, what it holds of
 * the facts that are asked for, and its final hidden state before every token of the right answer. The loop is the
 * page's own; only the answer is given.
 */
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { HEAD_STATISTICS } from '../../../core/heads/router.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { NO_SYSTEM_TEXT } from '../../../core/parameters/chat.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K } from '../../../core/tree/ids.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { Clock } from '../../../base/clock.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { TURN_END_REFOCUSES } from '../../session/chat/turn.ts';
import { readHeads } from '../../session/decoding/merged-reading.ts';
import { meanTail, PLAIN_TAIL_TOKENS } from '../../session/head/learned-heads.ts';
import { type FocusState, MultiHeadFocus } from '../../session/head/multi-head-focus.ts';
import { TelemetryRecorder } from '../../session/telemetry/telemetry-recorder.ts';
import { isRouted } from '../baselines/layouts.ts';
import type { AskedQuestion, EvaluationCase } from '../cases/evaluation-case.ts';
import { SETTLE_REFOCUSES } from './live-run.ts';

/** One question. */
export interface HeadRow {
  readonly heads: number;
  /** `[d]` mean embedding of the tail, as the router reads it. */
  readonly query: readonly number[];
  /** `[heads][4]` in the order of `HEAD_STATISTICS`. */
  readonly statistics: readonly (readonly number[])[];
  /** `[facts][heads]` 1 where a head has a fact that is asked for raw. */
  readonly held: readonly (readonly number[])[];
  /** `[tokens]` of the right answer. */
  readonly ids: readonly number[];
  /** `[tokens]` 1 for those that have to be right. */
  readonly isValue: readonly number[];
  /** `[tokens][heads]` as the router has them when the token is read. */
  readonly utilities: readonly (readonly number[])[];
  /** `[tokens, heads, d]` final hidden states that predict each token. */
  readonly hidden: Float32Array;
}

/** The state that all questions of a history begin from. @param pause - awaited now and then. */
export async function settledHeads(
  model: LoadedModel,
  tree: GistTree,
  config: RunConfig,
  clock: Clock,
  pause: () => Promise<void>,
): Promise<FocusState> {
  const run = { ...config, systemText: NO_SYSTEM_TEXT };
  const { layout } = assembleByRecency(tree, run, K);
  const start = { tree, heads: [{ layout, allocator: INITIAL_ALLOCATOR_STATE }] };
  const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(clock), run);
  await focus.settle(SETTLE_REFOCUSES, async () => {
    await pause();
    return focus.refocus('block');
  });
  return focus.state;
}

const TURN: Omit<Provenance, 'role'> = { documentId: 'turn', title: '', wallClockMs: 0 };
const ASSISTANT: Provenance = { ...TURN, role: 'assistant' };

/** Heads that have met a question and settled, before its answer begins; the caller disposes of them. */
export async function askedHeads(
  model: LoadedModel,
  start: FocusState,
  config: RunConfig,
  clock: Clock,
  { userIds, assistantIds }: AskedQuestion,
): Promise<MultiHeadFocus> {
  const tree = start.tree.fork();
  const focus = new MultiHeadFocus({ ...start, tree }, model, new TelemetryRecorder(clock), config);
  try {
    await focus.appendByBlocks(userIds, { ...TURN, role: 'user' });
    await focus.appendByBlocks(assistantIds, ASSISTANT);
    await focus.settle(TURN_END_REFOCUSES, () => focus.refocus('turn-end'));
    return focus;
  } catch (error) {
    focus.dispose();
    throw error;
  }
}

/** Ask one question and read its right answer. @param item - with gold. */
export async function headRow(
  model: LoadedModel,
  start: FocusState,
  config: RunConfig,
  clock: Clock,
  item: EvaluationCase,
): Promise<HeadRow> {
  const { base, lensNet } = model;
  const focus = await askedHeads(model, start, config, clock, item.asked);
  const { tree } = focus.memory;
  try {
    const query = Array.from(meanTail(base, tree, lensNet?.tailTokens ?? PLAIN_TAIL_TOKENS));
    const statistics = focus.heads.map((head) => HEAD_STATISTICS.map((name) => head.statistics[name]));
    const held = (item.gold ?? []).map((span) =>
      focus.heads.map(({ layout }) => (isRouted(layout, [span]) ? 1 : 0)),
    );
    const ids = Array.from(item.referenceIds);
    const hidden = new Float32Array(ids.length * focus.heads.length * base.hiddenSize);
    const utilities: (readonly number[])[] = [];
    for (const [at, id] of ids.entries()) {
      const reading = focus.heads.map(({ id: head, decoder, layout, parameters }) => {
        const { budgetTokens } = parameters;
        return { id: head, decoder, layout, budgetTokens, utility: focus.routed.utilities[head]! };
      });
      hidden.set(await readHeads(base, reading), at * reading.length * base.hiddenSize);
      utilities.push(reading.map(({ utility }) => utility));
      await focus.appendByBlocks(Uint32Array.of(id), ASSISTANT);
    }
    const isValue = ids.map((_, at) =>
      item.values.some(({ start: from, end }) => at >= from && at < end) ? 1 : 0,
    );
    return { heads: focus.heads.length, query, statistics, held, ids, isValue, utilities, hidden };
  } finally {
    focus.dispose();
  }
}
