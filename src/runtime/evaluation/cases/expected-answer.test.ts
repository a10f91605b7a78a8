import { describe, expect, it } from 'vitest';
import { judgeAnswer } from './expected-answer.ts';

describe('judgeAnswer', () => {
  it('wants every value, whole words, each after the one before', () => {
    const expected = { kind: 'in-order', values: ['amber', 'Kestrel Row'] } as const;
    const says = (text: string): boolean => judgeAnswer(expected, text).isAnswered;
    expect(says('The lamp is amber. Mara lives in kestrel row.')).toBe(true);
    expect(says('Mara lives in Kestrel Row. The lamp is amber.')).toBe(false);
    expect(says('The lamp is amber.')).toBe(false);
    expect(says('The lamp is ambers, in Kestrel Row.')).toBe(false);
  });

  it('finds a value again only behind its last place', () => {
    const twice = { kind: 'in-order', values: ['amber', 'amber'] } as const;
    expect(judgeAnswer(twice, 'Amber.').isAnswered).toBe(false);
    expect(judgeAnswer(twice, 'Amber and amber.').isAnswered).toBe(true);
  });

  it('takes a list as a set', () => {
    const list = { kind: 'set', values: ['rope', 'tar', 'salt'] } as const;
    expect(judgeAnswer(list, 'Salt, rope and tar.').isAnswered).toBe(true);
    expect(judgeAnswer(list, 'Salt and rope.').isAnswered).toBe(false);
  });

  it('scores free text as SQuAD does', () => {
    const text = { kind: 'text', values: ['the Norman dynasty', 'Normans'] } as const;
    expect(judgeAnswer(text, 'Norman Dynasty!')).toMatchObject({ isExact: true, f1: 1, isAnswered: true });
    const partly = judgeAnswer(text, 'a dynasty of Rouen');
    expect(partly.isExact).toBe(false);
    expect(partly.f1).toBeCloseTo(2 / 5, 12);
    expect(judgeAnswer(text, '')).toMatchObject({ isExact: false, f1: 0 });
  });

  it('tells a refusal from an answer', () => {
    const none = { kind: 'refusal' } as const;
    expect(judgeAnswer(none, 'The text does not say.')).toMatchObject({ isAnswered: true, isRefused: true });
    expect(judgeAnswer(none, 'It is amber.')).toMatchObject({ isAnswered: false, isRefused: false });
    const known = { kind: 'in-order', values: ['amber'] } as const;
    expect(judgeAnswer(known, 'The text does not say.')).toMatchObject({
      isAnswered: false,
      isRefused: true,
    });
  });
});
