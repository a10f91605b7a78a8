/** What decoding a token and following it with focus take, estimated in multiplications from sizes alone. */
import type { AnswerWork } from '../../../core/allocator/answer-pace.ts';
import { scoredSlotsOf } from '../../../core/context/slot-view.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { K } from '../../../core/tree/ids.ts';
import { lensMultiplications } from '../../../nn/lens-work.ts';
import type { LanguageModel, LensNet } from '../../../nn/ports.ts';
import { RERUN_SLOTS } from '../decoding/patch-plan.ts';

/**
 * A row alone takes at least so many times as long as one of many, which share the reading of weights and keys: 2.5 to 4
 * were measured, the least on the tiny base behind wide windows.
 */
const ALONE = 2;
/** What gathering a slot for a scorer is worth, and moving it within the cache. */
const GATHERING = 10_000;
const MOVING = 7000;

/**
 * @param lensNet - the net that scores; null where none does, and scoring costs nothing to speak of.
 * @returns null where base or net do not know their own work.
 */
export function answerWork(
  { work, layers, attention }: Pick<LanguageModel, 'work' | 'layers' | 'attention'>,
  lensNet: Pick<LensNet, 'work' | 'tailTokens'> | null,
  layout: Layout,
  { scoredTokens, budgetTokens }: Pick<RunConfig, 'scoredTokens' | 'budgetTokens'>,
): AnswerWork | null {
  if (work === undefined || (lensNet !== null && lensNet.work === undefined)) return null;
  const slots = layout.usedTokens;
  // Scores and mixtures of every key before the row.
  const row = work.layerWeights + 2 * layers * attention.heads * attention.headDim * slots;
  const input = {
    slotCount: slots,
    scoredSlots: scoredSlotsOf(layout, scoredTokens),
    tailCount: Math.min(lensNet?.tailTokens ?? 0, layout.cursor),
  };
  const scoring = lensNet === null ? 0 : lensMultiplications(lensNet.work!, lensNet.tailTokens, input);
  return {
    token: ALONE * (row + work.headWeights),
    refocus: scoring + slots * (GATHERING + MOVING),
    opening: (K + RERUN_SLOTS.opened) * row,
    closing: (1 + RERUN_SLOTS.closed) * row + slots * MOVING,
    freeTokens: budgetTokens - slots,
  };
}
