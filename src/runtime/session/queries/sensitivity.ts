/**
 * Measures what losing one block's detail would cost: the newest tokens are scored after a working context that
 * holds the block as one gist, and after one that holds the next finer level in its place.
 */
import type { Entry, Layout } from '../../../core/context/working-context.ts';
import { type BlockSpan, type Lod, K, tokensPerEntry } from '../../../core/tree/ids.ts';
import { type PositionScheme, positionSchemeOf } from '../../../core/context/position-scheme.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { childEntries, entryAt, layoutOf } from '../../../core/context/working-context.ts';
import type { LanguageModel } from '../../../nn/ports.ts';
import { Decoder } from '../decoding/decoder.ts';
import type { Head } from '../head/head.ts';
import { checkBlock } from '../memory/block-span.ts';
import { EngineError } from '../messages/errors.ts';
import type { SessionSteps } from '../steps/session-steps.ts';
import type { SensitivityReport } from '../messages/query-messages.ts';

/** At least so many of the newest tokens are scored, up to a block's edge. */
const LEAST_HORIZON_TOKENS = K;
const LONGEST_HORIZON_TOKENS = 64;

/** The two contexts that are compared, and the tokens that both must predict. */
interface Counterfactual {
  readonly fine: Layout;
  readonly coarse: Layout;
  readonly horizon: Uint32Array;
}

/**
 * @returns the contexts without the newest tokens; budgets are not looked at.
 * @throws {EngineError} `not-measurable` for the open tail, the newest tokens and a history too short to measure.
 */
export function counterfactualOf(
  tree: GistTree,
  layout: Layout,
  { lod, start, end }: BlockSpan,
): Counterfactual {
  const gist = entryAt(Math.max(1, lod) as Lod, start);
  const isWhole =
    gist.end === end && tree.canServe(gist.lod, start) && tree.canServeChildren(gist.lod, start);
  if (!isWhole) throw notMeasurable('it has no gist yet, or its detail is pruned');
  const context = withoutNewest(layout);
  if (context === null) throw notMeasurable(`the history has no ${LEAST_HORIZON_TOKENS} tokens to spare`);
  const from = context.at(-1)!.end;
  if (end > from) throw notMeasurable('it lies among the newest tokens, which the measurement predicts');
  return {
    fine: layoutOf(withSpan(context, gist, childEntries(gist))),
    coarse: layoutOf(withSpan(context, gist, [gist])),
    horizon: tree.tokens(from, Math.min(from + LONGEST_HORIZON_TOKENS, layout.cursor)).slice(),
  };
}

/**
 * @param positions - as the session decodes with.
 * @param pause - awaited between the chunks of a long prefill.
 */
async function measureSensitivity(
  base: LanguageModel,
  tree: GistTree,
  { fine, coarse, horizon }: Counterfactual,
  positions: PositionScheme,
  pause: () => Promise<void>,
): Promise<SensitivityReport> {
  const decoder = new Decoder(base, tree, pause);
  decoder.setPositions(positions);
  const capacity = Math.max(fine.usedTokens, coarse.usedTokens);
  try {
    const fineNll = await decoder.scoreContinuation(fine, horizon, capacity);
    const coarseNll = await decoder.scoreContinuation(coarse, horizon, capacity);
    return { deltaNll: coarseNll - fineNll, coarseNll, fineNll, horizonTokens: horizon.length };
  } finally {
    decoder.dispose();
  }
}

/** Measure, and remember the figure in the tree and in the trace. */
export async function noteSensitivity(
  { model, telemetry, activeConfig }: SessionSteps,
  { id: head, tree, layout, step }: Head,
  block: BlockSpan,
): Promise<SensitivityReport> {
  checkBlock(tree, block);
  const counterfactual = counterfactualOf(tree, layout, block);
  const positions = positionSchemeOf(activeConfig, model.manifest.trainedContextTokens);
  const report = await measureSensitivity(model.base, tree, counterfactual, positions, yieldToEvents);
  const { deltaNll, horizonTokens } = report;
  const { lod, start, end } = block;
  tree.metadata(lod).sensitivity.set(start / tokensPerEntry(lod), deltaNll);
  telemetry.emit({
    ...telemetry.base(step),
    type: 'sensitivity',
    head,
    lod,
    start,
    end,
    horizonTokens,
    deltaNll,
  });
  return report;
}

/** The entries that end before the horizon; null if nothing is left. */
function withoutNewest({ entries, cursor }: Layout): readonly Entry[] | null {
  const from = Math.floor((cursor - LEAST_HORIZON_TOKENS) / K) * K;
  const kept = entries.filter((entry) => entry.end <= from);
  return kept.length === 0 ? null : kept;
}

/** The same entries, but the gist's span is held by `held`; what is coarser than it splits around it. */
function withSpan(entries: readonly Entry[], gist: Entry, held: readonly Entry[]): readonly Entry[] {
  const split = (entry: Entry): readonly Entry[] => {
    const isApart = entry.end <= gist.start || entry.start >= gist.end;
    if (isApart) return [entry];
    return entry.lod > gist.lod ? childEntries(entry).flatMap(split) : [];
  };
  const around = entries.flatMap(split);
  const at = around.findIndex((entry) => entry.start >= gist.end);
  return at < 0 ? [...around, ...held] : [...around.slice(0, at), ...held, ...around.slice(at)];
}

function notMeasurable(why: string): EngineError {
  return new EngineError(
    'not-measurable',
    `The sensitivity of this block cannot be measured: ${why}.`,
    'Nothing was changed.',
    'Choose a closed block farther back.',
  );
}
