import { describe, expect, it } from 'vitest';
import { CaseFileError, parseCases } from './case-file.ts';

const good = { history: 'The lantern is amber.', question: 'What colour?', answer: 'amber' };
const line = (changes: object): string => JSON.stringify({ ...good, ...changes });

describe('parseCases', () => {
  it('reads cases, with gold or without, and skips empty lines', () => {
    expect(parseCases(`${line({})}\n\n${line({ gold: [[15, 20]] })}\n`, 'own.jsonl')).toEqual([
      { ...good, gold: null },
      { ...good, gold: [[15, 20]] },
    ]);
  });

  it.each([
    ['{"history": ', null, /no JSON/],
    ['3', null, /object/],
    [line({ answer: ' ' }), 'answer', /is empty/],
    [line({ question: 7 }), 'question', /is not a text/],
    [line({ extra: 1 }), null, /extra/],
    [line({ gold: [] }), 'gold', /empty list/],
    [line({ gold: [[15, 99]] }), 'gold.0', /no span of a history of 21 characters/],
    [line({ gold: [[5, 5]] }), 'gold.0', /no span/],
  ])('refuses %s', (bad, field, problem) => {
    const error = thrownBy(() => parseCases(`${line({})}\n${bad}`, 'own.jsonl'));
    expect(error).toMatchObject({ file: 'own.jsonl', line: 2, field });
    expect(error.message).toMatch(problem);
    expect(error.message).toMatch(/own\.jsonl, line 2.*Mend or remove the line; nothing was run/s);
  });

  it('refuses a file without cases', () => {
    expect(thrownBy(() => parseCases('\n\n', 'own.jsonl')).message).toMatch(/no case/);
  });
});

function thrownBy(act: () => unknown): CaseFileError {
  try {
    act();
  } catch (error) {
    if (error instanceof CaseFileError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
