import { describe, expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { STRIDE_TOKENS, StrideWords } from './stride-words.ts';

describe('StrideWords', () => {
  it('counts words in windows as adding them up does, also beyond what it first had room for', () => {
    const rng = new Rng(1);
    const strides = new StrideWords();
    const begun: number[] = [];
    let words = 0;
    for (let stride = 0; stride < 3000; stride++) {
      strides.add(words);
      begun.push(words);
      words += rng.nextInt(9);
    }
    const wordsIn = (window: number, windows: number): number =>
      (begun[Math.min(window + 6, windows)] ?? words) - begun[window]!;
    for (const windows of [1, 5, 6, 7, 1023, 2993, 2999, 3000]) {
      const all = Array.from({ length: windows }, (_, window) => wordsIn(window, windows));
      const tokens = windows * STRIDE_TOKENS;
      all.forEach((each, window) => {
        expect(strides.wordsIn(window, tokens, 48, words)).toBe(each);
      });
      expect(strides.wordsInAll(windows, tokens, 48, words)).toBe(all.reduce((sum, each) => sum + each, 0));
    }
  });
});
