/** Holds lexical features to those that training sees (training/data/words_fixture.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryAt } from '../context/working-context.ts';
import { GistTree } from '../tree/gist-tree.ts';
import type { Lod } from '../tree/ids.ts';
import type { Role } from '../tree/provenance.ts';
import { HistoryWords, LEXICAL_FEATURES } from './history-words.ts';

interface Fixture {
  /** Their bytes, in hexadecimal digits. */
  readonly tokens: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly ids: readonly number[];
    /** (end, role) of the history's runs. */
    readonly runs: readonly (readonly [number, Role])[];
    readonly layout: readonly (readonly [Lod, number, number])[];
    readonly tailTokens: number;
    readonly query: readonly [number, number];
    readonly tail: readonly [number, number];
    /** By entry. */
    readonly features: readonly (readonly number[])[];
    /** The same where words are compared by how they begin. */
    readonly beginnings: readonly (readonly number[])[];
    /** And where their ranks are over windows of several widths as well. */
    readonly wide: readonly (readonly number[])[];
  }[];
}

const fixture = JSON.parse(readFileSync('tests/fixtures/lexical/cases.json', 'utf8')) as Fixture;

function createPieces() {
  const decoder = new TextDecoder();
  const bytesOf = (id: number) => Uint8Array.from(Buffer.from(fixture.tokens[id]!, 'hex'));
  return { push: (id: number) => decoder.decode(bytesOf(id), { stream: true }) };
}

type Case = Fixture['cases'][number];

function treeOf({ ids, runs }: Pick<Case, 'ids' | 'runs'>): GistTree {
  const tree = new GistTree({ hiddenSize: 2 });
  for (const [end, role] of runs) {
    const origin = { role, documentId: role, title: role, wallClockMs: 0 };
    tree.appendTokens(ids.slice(tree.tokenCount, end), origin);
  }
  return tree;
}

function featuresOf(words: HistoryWords, { ids, layout, tailTokens }: Case): number[][] {
  const entries = layout.map(([lod, start, end]) => entryAt(lod, start, end));
  const found = words.features(entries, words.askedAt(ids.length, tailTokens));
  let slot = 0;
  return entries.map(({ cost }) => {
    const row = [...found.subarray(slot * LEXICAL_FEATURES, (slot + 1) * LEXICAL_FEATURES)];
    const last = (slot += cost) - 1;
    expect([...found.subarray(last * LEXICAL_FEATURES, slot * LEXICAL_FEATURES)]).toEqual(row);
    return row;
  });
}

describe('lexical features are the ones that training sees', () => {
  it.each(fixture.cases)('$name', (expected) => {
    const words = new HistoryWords(treeOf(expected), createPieces);
    const { start, end } = words.queryAt(expected.ids.length);
    expect([start, end]).toEqual(expected.query);
    expect(words.askedAt(expected.ids.length, expected.tailTokens).tailStart).toBe(expected.tail[0]);
    for (const [match, golden] of [
      ['stems', expected.features],
      ['beginnings', expected.beginnings],
      ['wide', expected.wide],
    ] as const) {
      featuresOf(words.matching(match), expected).forEach((row, entry) => {
        row.forEach((value, column) => {
          const difference = Math.abs(value - golden[entry]![column]!);
          expect(difference, `${match}, ${entry}, ${column}`).toBeLessThan(2e-6);
        });
      });
    }
  });
});

describe('HistoryWords', () => {
  const expected = fixture.cases[0]!;

  it('gives the same whether the history grew token by token or goes on behind the cursor', () => {
    const golden = featuresOf(new HistoryWords(treeOf(expected), createPieces), expected);
    const origin = { role: 'document', documentId: 'later', title: '', wallClockMs: 0 } as const;

    const longer = treeOf(expected);
    longer.appendTokens(expected.ids.slice(0, 300), origin);
    expect(featuresOf(new HistoryWords(longer, createPieces), expected)).toEqual(golden);

    const tree = new GistTree({ hiddenSize: 2 });
    const words = new HistoryWords(tree, createPieces);
    for (const [end, role] of expected.runs) {
      while (tree.tokenCount < end) {
        const next = Math.min(end, tree.tokenCount + 7);
        tree.appendTokens(expected.ids.slice(tree.tokenCount, next), {
          ...origin,
          role,
          documentId: role,
        });
        words.rank(words.askedAt(tree.tokenCount, 8));
      }
    }
    expect(featuresOf(words, expected)).toEqual(golden);
  });

  it('keeps what a question found while the tail moves on, to the same features as looking anew', () => {
    const tree = treeOf(expected);
    const words = new HistoryWords(tree, createPieces);
    const origin = { role: 'assistant', documentId: 'answer', title: '', wallClockMs: 0 } as const;
    const entries = expected.layout.map(([lod, start, end]) => entryAt(lod, start, end));
    for (let at = 0; at < 6; at++) {
      const asked = words.askedAt(tree.tokenCount, expected.tailTokens);
      const anew = new HistoryWords(tree, createPieces);
      expect(words.features(entries, asked)).toEqual(anew.features(entries, asked));
      tree.appendTokens(expected.ids.slice(20 * at, 20 * at + 19), origin);
    }
  });

  it('finds nothing where nothing stands before what is asked', () => {
    const tree = treeOf({ ids: [0, 1, 2], runs: [[3, 'user']] });
    const words = new HistoryWords(tree, createPieces);
    expect([...words.features([entryAt(0, 0, 3)], words.askedAt(3, 64))]).toEqual(
      new Array(3 * LEXICAL_FEATURES).fill(0),
    );
  });

  it('finds the same by how words begin after its index was sealed', () => {
    const tree = treeOf(expected);
    const words = new HistoryWords(tree, createPieces).matching('beginnings');
    const entries = expected.layout.map(([lod, start, end]) => entryAt(lod, start, end));
    const asked = words.askedAt(expected.ids.length, expected.tailTokens);
    const golden = words.features(entries, asked);
    words.seal();
    // Another query of the same words, so that nothing remembered answers: token 0 is grammar.
    const anew = words.features(entries, { ...asked, query: Uint32Array.of(...asked.query, 0) });
    expect(anew).toEqual(golden);
    expect(golden.some((value) => value > 0)).toBe(true);
  });
});
