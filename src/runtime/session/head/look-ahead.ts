/**
 * Looks below coarse gists before focus descends: a collapsed page is scored by the best of its LOD1 gists, as the
 * window would see them if it were expanded. One gist of 1,024 tokens says too little about each of thirty facts to
 * be found by any of them; its children do. The cost is one scoring of the window for every window full of gists.
 */
import type { Entry } from '../../../core/context/working-context.ts';
import type { HistoryWords } from '../../../core/lexical/history-words.ts';
import { K, tokensPerEntry } from '../../../core/tree/ids.ts';
import { protectedStart } from '../../../core/context/moves.ts';
import type { Scorer } from '../../../core/policies/scorer.ts';
import type { SlotView, Embed } from '../../../core/context/slot-view.ts';
import { bringInGists, buildSlotView, SlotBuffers } from '../../../core/context/slot-view.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { entryAt, layoutOf } from '../../../core/context/working-context.ts';

const PAGE_TOKENS = tokensPerEntry(2);

export interface LookAheadInput {
  readonly scorer: Scorer;
  readonly tree: GistTree;
  readonly embed: Embed;
  readonly tailTokens: number;
  /** Where the scorer reads words. */
  readonly words?: HistoryWords | null;
  readonly budgetTokens: number;
  readonly recentTokens: number;
  /** LOD2 spans looked into for one tail, at most; the best-scored spans come first. */
  readonly maxPages: number;
  /** Between two scorings: lets events in. */
  readonly pause: () => Promise<void>;
}

/** What was seen holds while the history stands still: make a new one after tokens were appended. */
export class LookAhead implements Scorer {
  readonly id: string;
  /** Best score of a page's children, by the page's index. */
  private readonly best = new Map<number, number>();
  private readonly buffers = new SlotBuffers();

  constructor(private readonly input: LookAheadInput) {
    this.id = input.scorer.id;
  }

  /** Slots of LOD2 and coarser get the best score below them; where nothing was looked at they keep their own. */
  async score(view: SlotView): Promise<Float32Array> {
    const scores = Float32Array.from(await this.input.scorer.score(view));
    const coarse = coarseSlots(view, scores);
    await this.look(coarse.flatMap(({ pages }) => pages));
    for (const { slot, pages } of coarse) {
      const seen = pages.flatMap((page) => this.best.get(page) ?? []);
      if (seen.length > 0) scores[slot] = Math.max(...seen);
    }
    return scores;
  }

  /** Score the children of the pages that were not seen yet, as many pages at once as fit a window. */
  private async look(pages: readonly number[]): Promise<void> {
    const { tree, budgetTokens, maxPages, pause } = this.input;
    const fresh = pages
      .filter((page) => !this.best.has(page) && tree.canServeChildren(2, page * PAGE_TOKENS))
      .slice(0, Math.max(0, maxPages - this.best.size));
    const free = budgetTokens - (tree.tokenCount - protectedStart(tree.tokenCount, this.input));
    const each = Math.max(1, Math.floor(free / K));
    for (let from = 0; from < fresh.length; from += each) {
      await pause();
      await this.lookInto(fresh.slice(from, from + each).sort((a, b) => a - b));
    }
  }

  private async lookInto(pages: readonly number[]): Promise<void> {
    const { scorer, tree, embed, tailTokens, words = null } = this.input;
    const children = pages.flatMap((page) =>
      Array.from({ length: K }, (_, child) => entryAt(1, page * PAGE_TOKENS + child * K)),
    );
    const layout = layoutOf([...children, ...recentEntries(this.input)]);
    await bringInGists(layout, tree);
    // What the recent tokens score is not asked for.
    const view = buildSlotView({ layout, tree, embed, tailTokens, words, scoredTokens: 1 }, this.buffers);
    const scores = await scorer.score(view);
    pages.forEach((page, index) => {
      const seen = scores.subarray(index * K, (index + 1) * K);
      const shown = seen.filter((_, child) => {
        const { start, end } = children[index * K + child]!;
        return !tree.hidden.holdsBlocks(start, end);
      });
      this.best.set(page, shown.length > 0 ? Math.max(...shown) : -1);
    });
  }
}

interface CoarseSlot {
  readonly slot: number;
  readonly pages: readonly number[];
}

/** The slots of LOD2 and coarser with the pages below each, best score first. */
function coarseSlots(view: SlotView, scores: Float32Array): readonly CoarseSlot[] {
  const coarse: CoarseSlot[] = [];
  let slot = 0;
  for (const { lod, start, end, cost } of view.entries) {
    if (lod >= 2) {
      const first = start / PAGE_TOKENS;
      const pages = Array.from({ length: (end - start) / PAGE_TOKENS }, (_, index) => first + index);
      coarse.push({ slot, pages });
    }
    slot += cost;
  }
  return coarse.sort((a, b) => scores[b.slot]! - scores[a.slot]!);
}

/** The protected window, raw, which every layout ends with. */
function recentEntries({ tree, recentTokens, budgetTokens }: LookAheadInput): readonly Entry[] {
  const { tokenCount } = tree;
  const first = protectedStart(tokenCount, { recentTokens, budgetTokens });
  const blocks = Array.from({ length: Math.ceil((tokenCount - first) / K) }, (_, index) => first + index * K);
  return blocks.map((start) => entryAt(0, start, Math.min(start + K, tokenCount)));
}
