import { describe, expect, it } from 'vitest';
import { treeOf } from '../testing/fake-history.ts';
import { K } from '../tree/ids.ts';
import { baseInput, BaseVectors } from './base-input.ts';
import { slotPositions } from './positions.ts';
import { entryAt, layoutOf } from './working-context.ts';

const layout = layoutOf([entryAt(1, 0), entryAt(0, K), entryAt(1, 2 * K), entryAt(0, 3 * K, 3 * K + 5)]);

describe('baseInput', () => {
  it('sends everything, or all but the gists', () => {
    expect(baseInput(layout, 'vector')).toBe(layout);
    expect(baseInput(layout, 'keyword')).toBe(layout);
    const raw = baseInput(layout, 'none');
    expect(raw.entries.map(({ lod, start }) => [lod, start])).toEqual([
      [0, K],
      [0, 3 * K],
    ]);
    expect(raw).toMatchObject({ usedTokens: K + 5, cursor: layout.cursor });
  });

  it('keeps the gists of a context that has nothing else', () => {
    const gists = layoutOf([entryAt(1, 0), entryAt(1, K)]);
    expect(baseInput(gists, 'none')).toBe(gists);
  });

  it('closes the gaps under compact positions and keeps them under absolute ones', () => {
    const raw = baseInput(layout, 'none');
    const scheme = { gistDecay: 0, trainedContextTokens: 1024 };
    const compact = slotPositions(raw, { ...scheme, mode: 'compact' }, 1).positions;
    expect([...compact]).toEqual(Array.from({ length: K + 6 }, (_, i) => i));
    const absolute = slotPositions(raw, { ...scheme, mode: 'absolute' }).positions;
    expect([absolute[0], absolute[K]]).toEqual([K, 3 * K]);
  });
});

describe('BaseVectors', () => {
  it('finds the highest token of a span, whatever its level', () => {
    const tree = treeOf(K * K);
    const ids = tree.tokens(0, K * K);
    // A token's embedding says which it is.
    const embed = (some: Uint32Array): Float32Array =>
      Float32Array.from(
        { length: some.length * tree.hiddenSize },
        (_, i) => some[Math.floor(i / tree.hiddenSize)]!,
      );
    const vectors = new BaseVectors(tree, embed);
    const layout = layoutOf([entryAt(2, 0)]);
    expect(vectors.gather(layout, 'keyword', 0, 1)[0]).toBe(Math.max(...ids));
    const block = layoutOf([entryAt(1, 3 * K), entryAt(0, 4 * K)]);
    const [first, second] = vectors
      .gather(block, 'keyword', 0, 2)
      .filter((_, i) => i % tree.hiddenSize === 0);
    expect([first, second]).toEqual([Math.max(...ids.subarray(3 * K, 4 * K)), ids[4 * K]]);
  });
});
