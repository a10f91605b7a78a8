/** While gists are made anew, no parent has children of two GistNets, and every gist that was there can be read. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DOCUMENT,
  HIDDEN_SIZE,
  gistBits,
  makeGists,
  tokenIds,
  treeOf,
} from '../../src/core/testing/fake-history.ts';
import type { GistTree, GistWork } from '../../src/core/tree/gist-tree.ts';
import { GistTree as Tree } from '../../src/core/tree/gist-tree.ts';
import { K, type Lod } from '../../src/core/tree/ids.ts';

const NEW_VERSION = 7;

/** Gists of the new net are those of the old one with every sign turned. */
function make(tree: GistTree, { lod, firstIndex, count }: GistWork): void {
  tree.setGists(
    lod,
    firstIndex,
    gistBits(lod, firstIndex, count).map((bits) => bits ^ 0x8000),
  );
}

function expectWhole(tree: GistTree, least: readonly number[]): void {
  for (let lod = 1; lod <= tree.maxLod; lod++) {
    expect(tree.countAt(lod)).toBeGreaterThanOrEqual(least[lod]!);
    const { gistVersion } = tree.metadata(lod);
    for (let first = 0; first < tree.countAt(lod); first += K) {
      const end = Math.min(first + K, tree.countAt(lod));
      const versions = new Set(Array.from({ length: end - first }, (_, i) => gistVersion.get(first + i)));
      expect(versions.size, `LOD${lod} from ${first} on`).toBe(1);
      const isNew = versions.has(NEW_VERSION);
      const [bits] = tree.gistBits(lod as Lod, first, 1);
      expect(bits).toBe(gistBits(lod as Lod, first, 1)[0]! ^ (isNew ? 0x8000 : 0));
    }
  }
}

const act = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('refresh' as const), groups: fc.integer({ min: 1, max: 9 }) }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant('append' as const), tokens: fc.integer({ min: 1, max: 2500 }) }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('reopen' as const) }), weight: 1 },
); // prettier-ignore

it('keeps siblings of one GistNet, whatever comes in meanwhile and wherever it is broken off', () => {
  fc.assert(
    fc.property(fc.integer({ min: 40, max: 40_000 }), fc.array(act, { maxLength: 14 }), (tokens, acts) => {
      let tree = treeOf(tokens);
      tree.refreshGists(NEW_VERSION);
      for (const each of acts) {
        const least = Array.from({ length: tree.maxLod + 1 }, (_, lod) => tree.countAt(lod));
        if (each.kind === 'append') {
          tree.appendTokens(tokenIds(tree.tokenCount, each.tokens), DOCUMENT);
          for (let next = tree.nextGistWork(64); next !== null; next = tree.nextGistWork(64))
            make(tree, next);
        } else if (each.kind === 'refresh') {
          const next = tree.nextRefreshWork(each.groups);
          if (next !== null) make(tree, next);
        } else tree = reopened(tree);
        expectWhole(tree, least);
      }
      let left = tree.staleGistCount;
      for (let next = tree.nextRefreshWork(4); next !== null; next = tree.nextRefreshWork(4)) {
        make(tree, next);
        expect(tree.staleGistCount).toBeLessThan(left + 1);
        left = tree.staleGistCount;
      }
      for (let next = tree.nextGistWork(64); next !== null; next = tree.nextGistWork(64)) make(tree, next);
      expectWhole(tree, [0, 0, 0, 0, 0]);
      expect([tree.staleGistCount, tree.pendingGistCount, tree.refreshStanding]).toEqual([0, 0, null]);
      expect(tree.countAt(1)).toBe(tree.closedBlockCount);
    }),
    { numRuns: 60, seed: 3 },
  );
});

/** As a session that was killed is read back: bits in their places, and how far the refresh was. */
function reopened(tree: GistTree): GistTree {
  const again = new Tree({ hiddenSize: HIDDEN_SIZE, gistVersion: NEW_VERSION - 1 });
  again.appendTokens(tree.tokens(0, tree.tokenCount), DOCUMENT);
  for (let lod = 1; lod <= tree.maxLod; lod++) {
    if (tree.countAt(lod) > 0) again.setGists(lod as Lod, 0, tree.gistBits(lod as Lod, 0, tree.countAt(lod)));
  }
  const standing = tree.refreshStanding;
  const whole = { fresh: Array.from({ length: 5 }, (_, lod) => tree.countAt(lod)), freshTail: null };
  again.refreshGists(NEW_VERSION, standing ?? whole);
  return again;
}

it('gives out nothing to make anew where nothing changed', () => {
  const tree = treeOf(3000);
  makeGists(tree);
  expect([tree.nextRefreshWork(4), tree.staleGistCount, tree.refreshStanding]).toEqual([null, 0, null]);
});
