import { describe, expect, it } from 'vitest';
import { createFakeModel } from '../src/runtime/testing/fake-model.ts';
import { OptionError, configFor, parseLoopOptions } from './loop-options.ts';
import { writeSyntheticHistory } from './synthetic-history.ts';

describe('parseLoopOptions', () => {
  it('reads flags and parameters', () => {
    const options = parseLoopOptions([
      '--tokens',
      '500',
      '--set',
      'budgetTokens=128',
      '--policy',
      'recency',
      '--strategy',
      'adaptive',
      '--seed',
      '7',
    ]);
    expect(options).toMatchObject({ tokens: 500, backend: 'wasm', json: false });
    expect(configFor(createFakeModel(), options)).toMatchObject({
      budgetTokens: 128,
      policy: 'recency',
      strategy: 'adaptive',
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
    ['lensVariant=perceiver', /Fake model has dual-cross-attention and no other/],
  ])('refuses --set %s', (pair, message) => {
    const configure = () => configFor(createFakeModel(), parseLoopOptions(['--set', pair]));
    expect(configure).toThrow(OptionError);
    expect(configure).toThrow(message);
  });
});

describe('the synthetic history', () => {
  const encode = (text: string) => Uint32Array.from(text, (character) => character.codePointAt(0)!);

  it('is the chronicle first, then its paragraphs in an order that the seed decides', () => {
    const length = 200_000;
    const { ids } = writeSyntheticHistory(length, 5, encode);
    expect(ids).toHaveLength(length);
    expect(writeSyntheticHistory(length, 5, encode).ids).toEqual(ids);
    const other = writeSyntheticHistory(length, 6, encode).ids;
    expect(other.subarray(0, 50_000)).toEqual(ids.subarray(0, 50_000));
    expect(other).not.toEqual(ids);
  });

  it('knows when each fact was read', () => {
    const { ids, questions } = writeSyntheticHistory(60_000, 1, encode);
    const known = questions.filter(({ knownAtToken }) => knownAtToken < 60_000);
    expect(known.length).toBeGreaterThan(3);
    for (const { value, knownAtToken } of known) {
      const read = String.fromCodePoint(...ids.subarray(Math.max(0, knownAtToken - 3000), knownAtToken));
      expect(read.toLowerCase()).toContain(value.toLowerCase());
    }
  });
});
