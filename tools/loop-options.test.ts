import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../src/core/config.ts';
import { OptionError, configFor, parseLoopOptions } from './loop-options.ts';
import { cycleText, writeSyntheticHistory } from './synthetic-history.ts';

describe('parseLoopOptions', () => {
  it('reads flags and parameters', () => {
    const options = parseLoopOptions([
      '--tokens',
      '500',
      '--set',
      'budgetTokens=128',
      '--policy',
      'recency',
      '--seed',
      '7',
    ]);
    expect(options).toMatchObject({ tokens: 500, backend: 'wasm', json: false });
    expect(configFor(DEFAULT_RUN_CONFIG, options)).toMatchObject({
      budgetTokens: 128,
      policy: 'recency',
      seed: 7,
    });
  });

  it.each([
    [['--token', '5'], /--token/],
    [['--tokens', 'many'], /whole number from 1, not "many"/],
    [['--tokens', '0'], /whole number/],
    [['--backend', 'webgpu'], /wasm, cpu/],
    [['--set', 'budgetTokens'], /key=value/],
    [['--seed', '-1'], /--seed/],
  ])('refuses %j', (args, message) => {
    expect(() => parseLoopOptions(args)).toThrow(OptionError);
    expect(() => parseLoopOptions(args)).toThrow(message);
  });

  it.each([
    ['colour=red', /Unknown parameter "colour"/],
    ['budgetTokens=1', /budgetTokens = 1/],
    ['policy=wish', /policy/],
  ])('refuses --set %s', (pair, message) => {
    expect(() => configFor(DEFAULT_RUN_CONFIG, parseLoopOptions(['--set', pair]))).toThrow(message);
  });
});

describe('histories', () => {
  it('are a function of the seed', () => {
    const first = writeSyntheticHistory(20_000, 1, 5000);
    expect(writeSyntheticHistory(20_000, 1, 5000)).toEqual(first);
    expect(writeSyntheticHistory(20_000, 2, 5000).text).not.toBe(first.text);
    expect(first.questions.length).toBeGreaterThanOrEqual(3);
    for (const { question, value, askedAtCharacter } of first.questions) {
      const key = /What colour is the (.*)\?/.exec(question)![1]!;
      expect(first.text.indexOf(`The ${key} is ${value}.`)).toBeLessThan(askedAtCharacter);
      expect(first.text).toContain(`The ${key} is ${value}.`);
    }
  });

  it('repeat a text in other orders until it is long enough', () => {
    const text = 'One.\n\nTwo.\n\nThree.';
    const cycled = cycleText(text, 100, 5);
    expect(cycled.startsWith(text)).toBe(true);
    expect(cycled.length).toBeGreaterThanOrEqual(98);
    expect(cycleText(text, 100, 5)).toBe(cycled);
  });
});
