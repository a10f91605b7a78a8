/** Holds the working context that is served to the one that training sees (training/data/context_fixture.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configOf } from '../testing/fake-history.ts';
import { encodeHalves } from '../../base/fp16.ts';
import { assembleByRecency } from '../allocator/assembly.ts';

import type { Role } from '../tree/provenance.ts';
import type { Lod } from '../tree/ids.ts';
import { GistTree } from '../tree/gist-tree.ts';
import { protectedStart } from './moves.ts';
import { SLOT_FEATURES, buildSlotView } from './slot-view.ts';
import { entryAt, layoutOf } from './working-context.ts';

type Spans = readonly (readonly [Lod, number, number])[];
type Rows = readonly (readonly number[])[];

interface Fixture {
  readonly recency: readonly {
    readonly tokens: number;
    readonly recentTokens: number;
    readonly lod1WindowTokens: number;
    readonly budgetTokens: number;
    readonly protectedStart: number;
    readonly layout: Spans;
  }[];
  readonly slots: readonly {
    readonly name: string;
    /** (end, role) of the history's runs. */
    readonly runs: readonly (readonly [number, Role])[];
    readonly layout: Spans;
    readonly residency: readonly number[];
    readonly tailTokens: number;
    readonly entryOfSlot: readonly number[];
    /** By entry. */
    readonly features: Rows;
    readonly embeddings: Rows;
    readonly blockVectors: Rows;
    readonly positions: readonly number[];
    readonly tail: Rows;
  }[];
}

const fixture = JSON.parse(readFileSync('tests/fixtures/working-context/cases.json', 'utf8')) as Fixture;
const VOCABULARY = 97;

const embedding = (id: number): number[] => [id / 8, -(id % 5) / 4];
const gist = (lod: number, index: number): number[] => [lod * 16 + (index % 32) / 4, (index % 7) / 2 - lod];
const embed = (ids: Uint32Array): Float32Array => Float32Array.from([...ids].flatMap(embedding));

function treeOf(runs: readonly (readonly [number, Role])[]): GistTree {
  const tree = new GistTree({ hiddenSize: 2 });
  for (const [end, role] of runs) {
    const first = tree.tokenCount;
    const ids = Uint32Array.from({ length: end - first }, (_, i) => (first + i) % VOCABULARY);
    tree.appendTokens(ids, { role, documentId: role, title: role, wallClockMs: 0 });
  }
  for (let work = tree.nextGistWork(64); work !== null; work = tree.nextGistWork(64)) {
    const { lod, firstIndex, count } = work;
    const values = Array.from({ length: count }, (_, i) => gist(lod, firstIndex + i)).flat();
    tree.setGists(lod, firstIndex, encodeHalves(Float32Array.from(values)), 0);
  }
  return tree;
}

function rows(values: Float32Array, width: number, count: number): number[][] {
  return Array.from({ length: count }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
}

function expectClose(found: Rows, expected: Rows): void {
  expect(found.length).toBe(expected.length);
  found.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(Math.abs(value - expected[i]![j]!), `row ${i}, column ${j}`).toBeLessThan(1e-5);
    });
  });
}

describe('working contexts are the ones that training sees', () => {
  it.each(fixture.recency)('by recency: $tokens tokens, $recentTokens recent', (expected) => {
    const { tokens, recentTokens, lod1WindowTokens, budgetTokens } = expected;
    const config = configOf({ recentTokens, lod1WindowTokens, budgetTokens });
    expect(protectedStart(tokens, config)).toBe(expected.protectedStart);
    const { layout, evictions } = assembleByRecency(treeOf([[tokens, 'document']]), config);
    expect(layout.entries.map(({ lod, start, end }) => [lod, start, end])).toEqual(expected.layout);
    expect(evictions).toEqual([]);
  });

  it.each(fixture.slots)('as slots: $name', (expected) => {
    const tree = treeOf(expected.runs);
    const layout = layoutOf(
      expected.layout.map(([lod, start, end]) => entryAt(lod, start, end)),
      Uint32Array.from(expected.residency),
    );
    const view = buildSlotView({ layout, tree, embed, tailTokens: expected.tailTokens });
    expect([...view.entryOfSlot]).toEqual(expected.entryOfSlot);
    expect([...view.positions]).toEqual(expected.positions);
    expectClose(
      rows(view.features, SLOT_FEATURES, view.slotCount),
      expected.entryOfSlot.map((entry) => expected.features[entry]!),
    );
    expectClose(rows(view.embeddings, 2, view.slotCount), expected.embeddings);
    expectClose(rows(view.blockVectors, 2, view.slotCount), expected.blockVectors);
    expectClose(rows(view.tail, 2, view.tailCount), expected.tail);
  });
});
