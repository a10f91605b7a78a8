import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHalf, encodeHalf } from '../../src/base/fp16.ts';
import { K, MAX_LOD } from '../../src/core/tree/ids.ts';
import type { Lod } from '../../src/core/tree/ids.ts';
import { applyLayoutFrame, layoutDelta } from '../../src/core/trace/layout-delta.ts';
import type { LayoutEntry } from '../../src/core/trace/telemetry.ts';
import { GistTree } from '../../src/core/tree/gist-tree.ts';
import { emptyLayout, extendLayout } from '../../src/core/context/working-context.ts';
import { DOCUMENT, HIDDEN_SIZE, makeGists, tokenIds } from '../../src/core/testing/fake-history.ts';

function contentsOf(tree: GistTree): unknown {
  const levels = Array.from({ length: MAX_LOD }, (_, i) => {
    const lod = (i + 1) as Lod;
    return [...tree.gistBits(lod, 0, tree.countAt(lod))];
  });
  const nodes = Array.from({ length: tree.countAt(1) }, (_, i) => tree.node(1, i));
  return { tokens: [...tree.tokens(0, tree.tokenCount)], levels, nodes, provenance: tree.provenance };
}

function grow(pieces: readonly number[], makeGistsAsTheyCome: boolean): GistTree {
  const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
  for (const count of pieces) {
    tree.appendTokens(tokenIds(tree.tokenCount, count), DOCUMENT);
    if (makeGistsAsTheyCome) makeGists(tree);
  }
  makeGists(tree);
  return tree;
}

describe('tree', () => {
  it.each([0, 1, 31, 32, 33, 1023, 1024, 1025])(
    'appending %i tokens at once equals appending them one by one',
    (tokens) => {
      const bulk = grow([tokens], false);
      const single = grow(
        Array.from({ length: tokens }, () => 1),
        true,
      );
      expect(contentsOf(single)).toEqual(contentsOf(bulk));
    },
  );

  it('appending in any pieces equals appending at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 8 }),
        fc.boolean(),
        (pieces, eager) => {
          const total = pieces.reduce((sum, count) => sum + count, 0);
          expect(contentsOf(grow(pieces, eager))).toEqual(contentsOf(grow([total], false)));
          let layout = emptyLayout();
          let cursor = 0;
          for (const count of pieces) layout = extendLayout(layout, (cursor += count));
          expect(layout).toEqual(extendLayout(emptyLayout(), total));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('40,000 tokens have every gist of every lod', () => {
    const tree = grow([40_000], false);
    expect([1, 2, 3, 4].map((lod) => tree.countAt(lod))).toEqual([1250, 39, 1, 0]);
    expect(tree.pendingGistCount).toBe(0);
  });
});

describe('half floats', () => {
  it('survive decoding and encoding, all 65,536 of them', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = decodeHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(decodeHalf(encodeHalf(value)))).toBe(true);
      else expect(encodeHalf(value)).toBe(bits);
    }
  });

  it('are the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (value) => {
        const bits = encodeHalf(value);
        const error = Math.abs(decodeHalf(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = decodeHalf(neighbour & 0xffff);
          if (!Number.isFinite(other)) continue;
          const otherError = Math.abs(other - value);
          expect(error).toBeLessThanOrEqual(otherError);
          if (error === otherError && other !== decodeHalf(bits)) expect(bits & 1).toBe(0);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('layout deltas', () => {
  const tiling: fc.Arbitrary<LayoutEntry[]> = fc
    .tuple(fc.nat({ max: 3 }), fc.array(fc.constantFrom<0 | 1>(0, 1), { maxLength: 40 }))
    .map(([skip, lods]) => lods.map((lod, i): LayoutEntry => [lod, (skip + i) * K, (skip + i + 1) * K]));

  it('turn any layout into any other', () => {
    fc.assert(
      fc.property(tiling, tiling, (before, after) => {
        expect(applyLayoutFrame(before, layoutDelta(before, after))).toEqual(after);
      }),
      { numRuns: 2000 },
    );
  });
});
