/** How many blocks outside the recent tokens stand raw, whatever room the budget has. */
import { NONE } from '../../context/draft-layout.ts';
import type { AllocationPass } from './allocation-pass.ts';

interface Block {
  readonly node: number;
  readonly isRaw: boolean;
  /** Its score; what stands open keeps its place against one that is hardly better. */
  readonly rank: number;
}

/**
 * Under `openBlocks`, the best blocks may be open and no others: raw ones beyond them collapse, unless they are
 * cooling down, and gists beyond them do not expand to raw text. Pinned blocks stand apart, and the recent window.
 *
 * What stands open keeps its place by the trade margin, as far as scores have room for it: they are squashed to
 * -1 … 1, so that near the ends, where the best ones crowd, a difference counts for more (the slope of tanh).
 */
export function closeSurplus(pass: AllocationPass): void {
  const { draft, config } = pass;
  if (config.openBlocks === 0) return;
  const blocks: Block[] = [];
  for (let node = draft.first; node !== NONE; node = draft.next[node]!) {
    const score = draft.score[node]!;
    if (draft.lod[node] === 1) {
      blocks.push({ node, isRaw: false, rank: score });
    } else if (draft.lod[node] === 0 && pass.holdOf(node)?.isPinned === false) {
      blocks.push({ node, isRaw: true, rank: score + config.tradeMargin * (1 - score ** 2) });
    }
  }
  // Of equals those that stand open, then those nearer to the cursor.
  blocks.reverse().sort((a, b) => b.rank - a.rank || Number(b.isRaw) - Number(a.isRaw));
  pass.mayOpen = new Set(blocks.slice(0, config.openBlocks).map(({ node }) => node));
  for (const { node, isRaw } of blocks.slice(config.openBlocks).reverse()) {
    if (!isRaw || pass.holdOf(node)?.isCooling !== false) continue;
    pass.collapse(node, { reason: 'enough-open', rank: null });
  }
}
