import { describe, expect, it } from 'vitest';
import { ConfigError, DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { applyModelChanges, lensNetOf, withKnownWeights } from './lens-variant.ts';
import { createFakeModel } from '../../testing/fake-model.ts';

const alone = createFakeModel();
const perceiver = { ...alone.lensNet };
const kept = { net: { ...alone.lensNet }, variant: 'perceiver' } as const;
const model = { ...alone, otherLensNets: new Map([['perceiver' as const, perceiver]]) };

describe('the LensNet of a variant', () => {
  it('is the model’s, unless the session keeps one of that variant', () => {
    expect(lensNetOf(model, 'default', null)).toBe(model.lensNet);
    expect(lensNetOf(model, 'perceiver', null)).toBe(perceiver);
    expect(lensNetOf(model, 'dual-cross-attention', kept)).toBe(model.lensNet);
    expect(lensNetOf(model, 'perceiver', kept)).toBe(kept.net);
    expect(lensNetOf(model, 'default', { ...kept, variant: 'dual-cross-attention' })).toBe(kept.net);
  });

  it('that the model lacks is refused with the names of those it has', () => {
    const ask = () => lensNetOf(model, 'transformer', kept);
    expect(ask).toThrow(ConfigError);
    expect(ask).toThrow(
      'lensVariant = "transformer": Fake model has dual-cross-attention, perceiver and no other.',
    );
  });
});

describe('parameters for a model', () => {
  it('are refused where the LensNet or any other value is wrong', () => {
    expect(applyModelChanges(model, DEFAULT_RUN_CONFIG, { lensVariant: 'perceiver', seed: 2 })).toEqual({
      ...DEFAULT_RUN_CONFIG,
      lensVariant: 'perceiver',
      seed: 2,
    });
    const refused = (changes: Record<string, unknown>, parameter: string) => {
      expect(() => applyModelChanges(model, DEFAULT_RUN_CONFIG, changes)).toThrow(
        expect.objectContaining({ name: 'ConfigError', parameter }),
      );
    };
    refused({ lensVariant: 'transformer' }, 'lensVariant');
    refused({ lensVariant: 'recurrent' }, 'lensVariant');
    refused({ budgetTokens: 1 }, 'budgetTokens');
    // Whatever the policy: it may become LensNet's later.
    refused({ lensVariant: 'transformer', policy: 'recency' }, 'lensVariant');
  });

  it('that were recorded with more LensNets fall back to the default, in words', () => {
    const known = { ...DEFAULT_RUN_CONFIG, lensVariant: 'perceiver' as const };
    expect(withKnownWeights(model, known)).toEqual({ config: known, note: null });
    expect(withKnownWeights(alone, known)).toEqual({
      config: { ...known, lensVariant: 'default' },
      note: 'The LensNet variant perceiver was asked for, but Fake model has dual-cross-attention and no other: the default scores instead.',
    });
    expect(withKnownWeights(alone, { seed: 2 })).toEqual({ config: { seed: 2 }, note: null });
  });
});
