import { expect, it } from 'vitest';
import { searchTerms, withoutMarkup } from './words.ts';

it('takes stems, or how words begin without those that are grammar', () => {
  const question = 'When was the manufacturing of glasses founded?';
  expect([...searchTerms(question, 'stems')]).toEqual([
    'when',
    'was',
    'the',
    'manufacturing',
    'of',
    'glasse',
    'founded',
  ]);
  expect([...searchTerms(question, 'beginnings')]).toEqual(['manuf', 'glass', 'found']);
});

it('knows the grammar by its stems, too', () => {
  expect([...searchTerms('Does this have a name?', 'beginnings')]).toEqual(['name']);
});

it('reads no words out of the markup of a chat', () => {
  const asked = '<|im_start|>user\nWho is the user of the lamp?<|im_end|>\n';
  expect(withoutMarkup(asked).trim()).toBe('Who is the user of the lamp?');
  expect(withoutMarkup('<|start_header_id|>user<|end_header_id|>\n\nWho?').trim()).toBe('Who?');
  expect(withoutMarkup('\nQuestion: a < b | c > d?').trim()).toBe('a < b | c > d?');
  expect(withoutMarkup('Is the Question: open?')).toBe('Is the Question: open?');
});
