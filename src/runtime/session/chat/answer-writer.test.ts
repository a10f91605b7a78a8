import { describe, expect, it } from 'vitest';
import { AnswerWriter } from './answer-writer.ts';
import { createFakeModel } from '../../testing/fake-model.ts';

const { tokenizer } = createFakeModel();
const greedy = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1 };

/** Logits that make one character certain. */
function certain(character: string): Float32Array {
  const logits = new Float32Array(tokenizer.vocabularySize);
  logits[character.charCodeAt(0)] = 50;
  return logits;
}

function write(writer: AnswerWriter, text: string) {
  const steps = Array.from(text, (character) => writer.next(certain(character), greedy));
  return { shown: steps.map(({ delta }) => delta).join(''), isEnd: steps.at(-1)!.isEnd };
}

describe('AnswerWriter', () => {
  it('ends before a stop text', () => {
    const writer = new AnswerWriter(tokenizer, 1, 0, ['\n']);
    expect(write(writer, ' Blue.\n')).toEqual({ shown: ' Blue.', isEnd: true });
    expect(writer.text).toBe('Blue.');
    expect(writer.tokenCount).toBe(7);
  });

  it('holds back what may become a stop text, and gives it when it does not', () => {
    const writer = new AnswerWriter(tokenizer, 1, 0, ['END']);
    expect(write(writer, 'It is E')).toEqual({ shown: 'It is', isEnd: false });
    expect(write(writer, 'NT')).toEqual({ shown: ' E', isEnd: false });
    expect(writer.finish()).toBe('NT');
    expect(writer.text).toBe('It is ENT');
  });

  it('never shows a stop text', () => {
    const writer = new AnswerWriter(tokenizer, 1, 0, ['END']);
    expect(write(writer, 'Yes END')).toEqual({ shown: 'Yes ', isEnd: true });
    expect(writer.finish()).toBe('');
  });

  it('draws after a replay what it would have drawn', () => {
    const settings = { ...greedy, temperature: 1, repetitionPenalty: 1.5 };
    const logits = Float32Array.from({ length: tokenizer.vocabularySize }, (_, id) =>
      id > 96 && id < 123 ? 3 : -9,
    );
    const draw = (writer: AnswerWriter, count: number) =>
      Array.from({ length: count }, () => writer.next(logits, settings).tokenId);
    const ids = draw(new AnswerWriter(tokenizer, 7, 100, []), 20);
    const resumed = new AnswerWriter(tokenizer, 7, 100, []);
    expect(resumed.replay(Uint32Array.from(ids.slice(0, 8)), settings)).toBe(false);
    expect(draw(resumed, 12)).toEqual(ids.slice(8));
    expect(draw(new AnswerWriter(tokenizer, 7, 101, []), 20)).not.toEqual(ids);
  });

  it('knows when what it replayed had ended already', () => {
    const writer = new AnswerWriter(tokenizer, 1, 0, ['\n']);
    expect(writer.replay(tokenizer.encode('Red.\n'), greedy)).toBe(true);
    expect(writer.text).toBe('Red.');
  });
});
