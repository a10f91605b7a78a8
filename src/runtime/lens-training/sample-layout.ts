/** Working contexts as the session could have had them at an earlier cursor: fresh, focused, or at random. */
import { INITIAL_ALLOCATOR_STATE } from '../../core/allocator/pass/allocator-state.ts';
import { assembleByRecency } from '../../core/allocator/assembly.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import { K } from '../../core/tree/ids.ts';
import { apply, EXPANSION_COST } from '../../core/context/moves.ts';
import { refocus } from '../../core/allocator/refocus.ts';
import type { HistoryWords } from '../../core/lexical/history-words.ts';
import type { Rng } from '../../base/rng.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { entryIndexAt, indexOfEntry } from '../../core/context/working-context.ts';
import type { Layout } from '../../core/context/working-context.ts';
import type { LanguageModel, LensNet } from '../../nn/ports.ts';
import { bestBlock, type BlockRelevance } from './block-relevance.ts';
import { expandToRaw, unitsOf } from './moves.ts';

/** As many as the end of a turn takes. */
const FOCUS_PASSES = 4;
const RANDOM_EXPANSIONS = { least: 2, most: 12 } as const;
const LONGEST_RESIDENCY = 8;

interface LayoutInput {
  /** As it was at the cursor to sample. */
  readonly tree: GistTree;
  /** Where the LensNet reads them. */
  readonly words: HistoryWords | null;
  readonly config: RunConfig;
  readonly lensNet: LensNet;
  readonly base: Pick<LanguageModel, 'embed'>;
  /** `[closed blocks]` by the words of tail and real continuation. */
  readonly futureRelevance: BlockRelevance;
  readonly rng: Rng;
}

/** A third of each kind. Within the budget, less the block that is kept free for new tokens. */
export async function sampleLayout(input: LayoutInput): Promise<Layout> {
  const { tree, config, rng } = input;
  const { layout } = assembleByRecency(tree, config, K);
  const kind = rng.nextInt(3);
  if (kind === 0) return layout;
  return kind === 1 ? focusLayout(layout, input) : scatterDetail(layout, input);
}

/** What the LensNet in use makes of it at the end of a turn. */
async function focusLayout(
  start: Layout,
  { tree, words, config, lensNet, base }: LayoutInput,
): Promise<Layout> {
  let layout = start;
  let state = INITIAL_ALLOCATOR_STATE;
  for (let pass = 0; pass < FOCUS_PASSES; pass++) {
    const result = await refocus({
      layout,
      tree,
      config: { ...config, policy: 'lensnet' },
      state,
      scorer: lensNet,
      embed: (ids) => base.embed(ids),
      tailTokens: lensNet.tailTokens,
      words,
      reserveTokens: K,
      now: () => 0,
    });
    ({ layout, state } = result);
    if (!result.actions.some((action) => action.applied)) break;
  }
  return layout;
}

/** Detail in random places, and every other time where the continuation suggests it; old detail pays. */
function scatterDetail(start: Layout, { tree, config, futureRelevance, rng }: LayoutInput): Layout {
  let layout = start;
  const { least, most } = RANDOM_EXPANSIONS;
  const count = least + rng.nextInt(most - least + 1);
  const wanted = rng.nextInt(2) === 0 ? bestBlock(futureRelevance, 0, layout.cursor) * K : null;
  for (let i = 0; i < count; i++) {
    const units = unitsOf({ layout, tree, config });
    const index =
      i === 0 && wanted !== null
        ? entryIndexAt(layout, wanted)
        : units.expansions[rng.nextInt(Math.max(1, units.expansions.length))]?.first;
    const unit = units.expansions.find(({ first }) => first === index);
    if (unit === undefined) continue;
    layout = makeRoom(layout, unit.lod * EXPANSION_COST, tree, config, rng);
    const at = indexOfEntry(layout, unit.lod, unit.start);
    if (at < 0 || freeTokens(layout, config) < unit.lod * EXPANSION_COST) continue;
    layout = expandToRaw(layout, at, tree, futureRelevance);
  }
  return { ...layout, residency: layout.residency.map(() => rng.nextInt(LONGEST_RESIDENCY)) };
}

function freeTokens(layout: Layout, config: RunConfig): number {
  return config.budgetTokens - K - layout.usedTokens;
}

function makeRoom(layout: Layout, needed: number, tree: GistTree, config: RunConfig, rng: Rng): Layout {
  let next = layout;
  while (freeTokens(next, config) < needed) {
    const { collapses } = unitsOf({ layout: next, tree, config });
    if (collapses.length === 0) break;
    next = apply(next, 'collapse', collapses[rng.nextInt(collapses.length)]!.first, tree);
  }
  return next;
}
