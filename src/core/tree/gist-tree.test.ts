import { describe, expect, it } from 'vitest';
import { DOCUMENT, HIDDEN_SIZE, gistBits, makeGists, tokenIds, treeOf } from '../testing/fake-history.ts';
import { decodeHalf } from '../../base/fp16.ts';
import { GistTree, TreeError } from './gist-tree.ts';

const emptyTree = (): GistTree => new GistTree({ hiddenSize: HIDDEN_SIZE });
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof TreeError) return error.code;
    throw error;
  }
  return 'no error';
};

describe('GistTree', () => {
  it('closes four blocks when 128 tokens come at once', () => {
    const tree = emptyTree();
    expect(tree.appendTokens(tokenIds(0, 128), DOCUMENT)).toEqual({ start: 0, end: 128, closedBlocks: 4 });
    expect(tree.nextGistWork(64)).toEqual({ lod: 1, firstIndex: 0, count: 4 });
    makeGists(tree);
    expect(tree.countAt(1)).toBe(4);
  });

  it('hands out gist work so that children exist first, in pieces of the limit', () => {
    const tree = emptyTree();
    tree.appendTokens(tokenIds(0, 2048), DOCUMENT);
    const work: [number, number, number][] = [];
    for (let next = tree.nextGistWork(24); next !== null; next = tree.nextGistWork(24)) {
      work.push([next.lod, next.firstIndex, next.count]);
      tree.setGists(next.lod, next.firstIndex, gistBits(next.lod, next.firstIndex, next.count));
    }
    expect(work).toEqual([
      [1, 0, 24],
      [1, 24, 24],
      [1, 48, 16],
      [2, 0, 2],
    ]);
    expect(tree.pendingGistCount).toBe(0);
  });

  it('reads back what was stored, across chunks', () => {
    const tree = treeOf(40_000);
    expect([...tree.tokens(31_990, 32_010)]).toEqual([...tokenIds(31_990, 20)]);
    const out = new Float32Array(3 * HIDDEN_SIZE);
    tree.readGists(1, 700, 2, out, HIDDEN_SIZE);
    expect([...out.slice(HIDDEN_SIZE)]).toEqual([...gistBits(1, 700, 2)].map(decodeHalf));
  });

  it('refuses what cannot be, and stays as it was', () => {
    const tree = treeOf(2048);
    expect(codeOf(() => tree.appendTokens([1, -1], DOCUMENT))).toBe('token-id');
    expect(codeOf(() => tree.appendTokens([2 ** 32], DOCUMENT))).toBe('token-id');
    expect(
      codeOf(() => {
        tree.setGists(1, 65, gistBits(1, 65, 1));
      }),
    ).toBe('gap');
    expect(
      codeOf(() => {
        tree.setGists(1, 64, gistBits(1, 64, 1));
      }),
    ).toBe('children-missing');
    expect(
      codeOf(() => {
        tree.setGists(2, 0, new Uint16Array(HIDDEN_SIZE + 1));
      }),
    ).toBe('shape');
    expect(
      codeOf(() => {
        tree.setGists(2, 0, new Uint16Array(HIDDEN_SIZE).fill(0x7c00));
      }),
    ).toBe('not-finite');
    expect(codeOf(() => tree.gistBits(3, 0, 1))).toBe('missing');
    expect(tree.tokenCount).toBe(2048);
    expect(tree.countAt(1)).toBe(64);
  });

  it('makes every gist work again when GistNet changes, while old ones stay readable', () => {
    const tree = treeOf(2048);
    tree.refreshGists(2);
    expect(tree.countAt(2)).toBe(2);
    expect(tree.staleGistCount).toBe(66);
    expect(tree.nextRefreshWork(1)).toEqual({ lod: 1, firstIndex: 0, count: 32 });
    tree.setGists(1, 0, gistBits(1, 0, 32));
    expect([tree.node(1, 31).gistVersion, tree.node(1, 32).gistVersion]).toEqual([2, 1]);
    for (let next = tree.nextRefreshWork(1); next !== null; next = tree.nextRefreshWork(1)) {
      tree.setGists(next.lod, next.firstIndex, gistBits(next.lod, next.firstIndex, next.count));
    }
    expect([tree.node(2, 1).gistVersion, tree.staleGistCount]).toEqual([2, 0]);
  });

  it('gives nodes deterministic places and keeps their metadata', () => {
    const tree = treeOf(1100);
    expect(tree.node(0, 34)).toMatchObject({ start: 1088, end: 1100, parent: null, gistVersion: null });
    expect(tree.node(1, 3)).toMatchObject({
      start: 96,
      end: 128,
      parent: 2 * 2 ** 40,
      accessCount: 0,
      lastAccessStep: null,
      sensitivity: null,
    });
    tree.metadata(1).sensitivity.set(3, 0.5);
    tree.setFlag(1, 96, 'pinned', true);
    expect(tree.node(1, 3)).toMatchObject({ sensitivity: 0.5, flags: { pinned: true, pruned: false } });
  });

  it('cannot serve what was pruned until it is restored', () => {
    const tree = treeOf(2048);
    tree.setFlag(0, 64, 'pruned', true);
    tree.setFlag(1, 32, 'cold', true);
    expect([
      tree.canServe(0, 64),
      tree.canServeChildren(1, 64),
      tree.canServeChildren(2, 0),
      tree.canServeChildren(2, 1024),
    ]).toEqual([false, false, false, true]);
    tree.setFlag(0, 64, 'pruned', false);
    tree.setFlag(1, 32, 'cold', false);
    expect([tree.canServeChildren(1, 64), tree.canServeChildren(2, 0)]).toEqual([true, true]);
  });

  it('keeps provenance as runs', () => {
    const tree = emptyTree();
    tree.appendTokens(tokenIds(0, 10), DOCUMENT);
    tree.appendTokens(tokenIds(10, 10), DOCUMENT);
    tree.appendTokens(tokenIds(20, 5), { ...DOCUMENT, role: 'user' });
    expect(tree.provenance.map(({ start, end, role }) => [start, end, role])).toEqual([
      [0, 20, 'document'],
      [20, 25, 'user'],
    ]);
    expect(tree.provenanceOf(19, 21)).toHaveLength(2);
    expect(tree.provenanceIndexAt(25)).toBe(-1);
  });

  it('forks: both go their own way from a common past', () => {
    const tree = treeOf(1000);
    const before = tree.fork();
    const fork = tree.fork();
    fork.appendTokens(tokenIds(5, 60), { ...DOCUMENT, role: 'user' });
    tree.appendTokens(tokenIds(7, 40), DOCUMENT);
    makeGists(fork);
    fork.metadata(0).recordAccess(3, 9, 4);
    fork.setFlag(1, 32, 'pinned', true);
    expect(fork.tokens(990, 1060)).toEqual(
      Uint32Array.from([...before.tokens(990, 1000), ...tokenIds(5, 60)]),
    );
    expect(tree.tokens(1000, 1040)).toEqual(tokenIds(7, 40));
    expect([before.tokenCount, before.countAt(1), before.pendingGistCount]).toEqual([1000, 31, 0]);
    expect([fork.countAt(1), fork.countAt(2), tree.pendingGistCount]).toEqual([33, 1, 2]);
    expect(fork.node(0, 3)).toMatchObject({ accessCount: 1, residency: 4 });
    expect([tree.node(0, 3).accessCount, tree.node(1, 1).flags.pinned]).toEqual([0, false]);
    expect([before.provenance.length, tree.provenance.length, fork.provenance.length]).toEqual([1, 1, 2]);
    expect(before.gistBits(1, 0, 31)).toEqual(fork.gistBits(1, 0, 31));
  });

  it('holds a million tokens in bounded memory', () => {
    const tree = emptyTree();
    for (let i = 0; i < 16; i++) tree.appendTokens(new Uint32Array(65_536), DOCUMENT);
    makeGists(tree);
    expect([1, 2, 3, 4].map((lod) => tree.countAt(lod))).toEqual([32_768, 1024, 32, 1]);
    expect(tree.allocatedBytes / tree.tokenCount).toBeLessThan(6);
  });
});
