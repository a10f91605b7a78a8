import { describe, expect, it } from 'vitest';
import { DOCUMENT, embed, HIDDEN_SIZE, makeGists, tokenIds } from '../../../core/testing/fake-history.ts';
import type { Scorer } from '../../../core/policies/scorer.ts';
import type { SlotView } from '../../../core/context/slot-view.ts';
import { buildSlotView } from '../../../core/context/slot-view.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { entryAt, layoutOf } from '../../../core/context/working-context.ts';
import { LookAhead } from './look-ahead.ts';

const TAIL_TOKENS = 8;
const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
tree.appendTokens(tokenIds(0, 32 * 1024 + 40), DOCUMENT);
makeGists(tree);

/** Wants the LOD1 gist of one block, and says -0.5 of all else; keeps what it was shown. */
function seeker(block: number): Scorer & { readonly seen: SlotView[] } {
  const wanted = new Float32Array(HIDDEN_SIZE);
  tree.readGists(1, block, 1, wanted, 0);
  const seen: SlotView[] = [];
  return {
    id: 'seeker',
    seen,
    score(view) {
      seen.push({ ...view, entries: [...view.entries] });
      const isWanted = (slot: number): boolean =>
        wanted.every((value, i) => view.embeddings[slot * HIDDEN_SIZE + i] === value);
      return Promise.resolve(
        Float32Array.from({ length: view.slotCount }, (_, s) => (isWanted(s) ? 1 : -0.5)),
      );
    },
  };
}

const view = (entries: Parameters<typeof layoutOf>[0]): SlotView =>
  buildSlotView({ layout: layoutOf(entries), tree, embed, tailTokens: TAIL_TOKENS });
const pages = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => entryAt(2, (first + index) * 1024));
const newest = [entryAt(0, 32 * 1024), entryAt(0, 32 * 1024 + 32, 32 * 1024 + 40)];
const lookAhead = (scorer: Scorer, maxPages = 100): LookAhead =>
  new LookAhead({
    scorer,
    tree,
    embed,
    tailTokens: TAIL_TOKENS,
    budgetTokens: 256,
    recentTokens: 32,
    maxPages,
    pause: () => Promise.resolve(),
  });

describe('look-ahead', () => {
  it('scores every page by the best gist below it, and raw tokens and LOD1 as ever', async () => {
    const scorer = seeker(5 * 32 + 7);
    const open = Array.from({ length: 32 }, (_, child) => entryAt(1, 1024 + child * 32));
    const scores = await lookAhead(scorer).score(view([...pages(0, 1), ...open, ...pages(2, 30), ...newest]));
    const expected = new Float32Array(scores.length).fill(-0.5);
    expected[1 + 32 + 3] = 1;
    expect(scores).toEqual(expected);
    // No window is wider than the budget; together they hold every child once, whatever lies between the pages.
    const looked = scorer.seen.slice(1);
    expect(looked.every(({ slotCount }) => slotCount <= 256)).toBe(true);
    const starts = looked.flatMap(({ entries }) =>
      entries.filter(({ lod }) => lod === 1).map(({ start }) => start),
    );
    expect(new Set(starts)).toHaveLength(31 * 32);
    expect(starts).toHaveLength(31 * 32);
  });

  it('looks through an LOD3 gist', async () => {
    expect((await lookAhead(seeker(900)).score(view([entryAt(3, 0), ...newest])))[0]).toBe(1);
  });

  it('looks once at a page, at the best-scored pages first, and at no more than asked for', async () => {
    const scorer = seeker(2 * 32 + 1);
    const ahead = lookAhead(scorer, 3);
    const all = view([...pages(0, 32), ...newest]);
    expect((await ahead.score(all)).slice(0, 4)).toEqual(Float32Array.of(-0.5, -0.5, 1, -0.5));
    const calls = scorer.seen.length;
    await ahead.score(all);
    expect(scorer.seen.length).toBe(calls + 1);
    const blind = lookAhead(seeker(3 * 32 + 1), 3);
    expect(Math.max(...(await blind.score(all)))).toBe(-0.5);
  });

  it('lets a score that is no number be seen', async () => {
    const broken: Scorer = {
      id: 'broken',
      score: ({ slotCount }) => Promise.resolve(new Float32Array(slotCount).fill(NaN)),
    };
    expect((await lookAhead(broken).score(view([...pages(0, 32), ...newest]))).every(Number.isNaN)).toBe(
      true,
    );
  });
});
