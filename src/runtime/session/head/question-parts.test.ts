import { describe, expect, it } from 'vitest';
import type { SlotView } from '../../../core/context/slot-view.ts';
import type { Role } from '../../../core/tree/provenance.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { questionTails, scoredByTails } from './question-parts.ts';
import { createFakeModel } from '../../testing/fake-model.ts';

const model = createFakeModel();
const { tokenizer } = model;

function tailsOf(question: string, tailTokens = 80, maxParts = 8): string[] {
  const tree = new GistTree({ hiddenSize: 4 });
  const say = (text: string, role: Role): void => {
    const origin = { role, documentId: role, title: '', wallClockMs: 0 };
    tree.appendTokens(tokenizer.encode(text), origin);
  };
  say('The lamp is red. The boat is old.', 'document');
  say(question, 'user');
  say('Answer:', 'assistant');
  return questionTails({ tree, model, tailTokens, maxParts }).map((ids) => tokenizer.decode(ids));
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
  const parted = scoredByTails(scorer, [Uint32Array.of(3)], (ids) => Float32Array.from(ids, (id) => id / 4));
  expect(await parted.score(view)).toEqual(Float32Array.of(1, -0.25));
  const broken = scoredByTails(scorer, [Uint32Array.of(0)], () => Float32Array.of(NaN));
  expect(await broken.score(view)).toEqual(Float32Array.of(NaN, NaN));
});
