import { describe, expect, it } from 'vitest';
import type { SlotView } from '../../../core/context/slot-view.ts';
import type { Role } from '../../../core/tree/provenance.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { HistoryWords, LEXICAL_FEATURES } from '../../../core/lexical/history-words.ts';
import { entryAt } from '../../../core/context/working-context.ts';
import { questionParts, scoredByParts } from './question-parts.ts';
import { createFakeModel } from '../../testing/fake-model.ts';

const model = createFakeModel();
const { tokenizer } = model;
const { userPrefix } = model.chat.pieces();

function tailsOf(question: string, tailTokens = 80, maxParts = 8): string[] {
  const tree = new GistTree({ hiddenSize: 4 });
  const say = (text: string, role: Role): void => {
    const origin = { role, documentId: role, title: '', wallClockMs: 0 };
    tree.appendTokens(tokenizer.encode(text), origin);
  };
  say('The lamp is red. The boat is old.', 'document');
  say(question, 'user');
  say('Answer:', 'assistant');
  return questionParts({ tree, tokenizer, userPrefix, tailTokens, maxParts }).map(({ tail }) =>
    tokenizer.decode(tail),
  );
}

describe('a question at the tail', () => {
  it('is asked sentence by sentence, in the form of a question of one sentence', () => {
    const before = 'The lamp is red. The boat is old.\nQuestion:';
    const question = '\nQuestion: Who is Ada? Where is the lamp?\n';
    expect(tailsOf(question)).toEqual([
      `${before} Who is Ada?\nAnswer:`,
      `${before} Where is the lamp?\nAnswer:`,
    ]);
    expect(tailsOf(question, 80, 1)).toHaveLength(1);
    expect(tailsOf(question, 30)).toEqual(['uestion: Where is the lamp?\nAnswer:'.slice(-30)]);
  });

  it('of one sentence is left whole', () => {
    expect(tailsOf('\nQuestion: Who is Ada?\n')).toEqual([]);
    expect(tailsOf('\nQuestion: who is ada\n')).toEqual([]);
  });

  it('counts its last sentence without a mark, and none that is too short to ask anything', () => {
    expect(tailsOf('\nQuestion: Hi. Who is Ada? Where is she\n').map((tail) => tail.slice(43))).toEqual([
      ' Hi.\nAnswer:',
      ' Who is Ada?\nAnswer:',
      ' Where is she\nAnswer:',
    ]);
    expect(tailsOf('\nQuestion: A. Who is Ada?\n').map((tail) => tail.slice(43))).toEqual([
      ' Who is Ada?\nAnswer:',
    ]);
  });
});

it('every slot keeps the highest of its scores', async () => {
  const view = { tail: Float32Array.of(1), tailCount: 1 } as SlotView;
  const scorer = {
    id: 'x',
    score: ({ tail }: SlotView) => Promise.resolve(Float32Array.of(tail[0]!, 0.5 - tail[0]!)),
  };
  const part = (id: number) => ({ tail: Uint32Array.of(id), query: Uint32Array.of(id) });
  const parted = scoredByParts(scorer, [part(3)], (ids) => Float32Array.from(ids, (id) => id / 4), null);
  expect(await parted.score(view)).toEqual(Float32Array.of(1, -0.25));
  const broken = scoredByParts(scorer, [part(0)], () => Float32Array.of(NaN), null);
  expect(await broken.score(view)).toEqual(Float32Array.of(NaN, NaN));
});

it('a part is compared with the history by its own words', async () => {
  const tree = new GistTree({ hiddenSize: 4 });
  const say = (text: string, role: Role): void => {
    tree.appendTokens(tokenizer.encode(text), { role, documentId: role, title: '', wallClockMs: 0 });
  };
  say('The boat is old.'.padEnd(64).concat('The lamp is red.'.padEnd(64)), 'document');
  say('\nQuestion: Whose is the boat? Where is the lamp?\n', 'user');
  const words = new HistoryWords(tree, () => tokenizer.createStreamDecoder());
  const entries = [0, 64]
    .map((start) => entryAt(1, start))
    .map((entry) => ({ ...entry, end: entry.start + 64 }));
  const seen: number[][] = [];
  const scorer = {
    id: 'x',
    score: ({ lexical }: SlotView) => {
      if (lexical !== null) seen.push([lexical[1]!, lexical[LEXICAL_FEATURES + 1]!]);
      return Promise.resolve(new Float32Array(2));
    },
  };
  const parts = questionParts({ tree, tokenizer, userPrefix, tailTokens: 80, maxParts: 8 });
  const view = { entries, cursor: tree.tokenCount, tailCount: 80, lexical: null } as unknown as SlotView;
  await scoredByParts(scorer, parts, () => new Float32Array(1), words).score(view);
  expect(seen).toHaveLength(2);
  expect(seen[0]![0]).toBe(1);
  expect(seen[0]![1]).toBeLessThan(1);
  expect(seen[1]![0]).toBeLessThan(1);
  expect(seen[1]![1]).toBe(1);
});
