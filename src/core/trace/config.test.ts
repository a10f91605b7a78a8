import { describe, expect, it } from 'vitest';
import { ConfigError, DEFAULT_RUN_CONFIG, applyConfigChanges, runConfigSchema } from './config.ts';
import { PARAMETERS } from './parameters.ts';

describe('run configuration', () => {
  it('has defaults that its schema accepts', () => {
    expect(runConfigSchema.parse(DEFAULT_RUN_CONFIG)).toEqual(DEFAULT_RUN_CONFIG);
  });

  it('describes every knob once, with the schema’s own ranges', () => {
    expect(PARAMETERS.map(({ id }) => id).sort()).toEqual(Object.keys(DEFAULT_RUN_CONFIG).sort());
    for (const { id, kind, min, max } of PARAMETERS) {
      if (kind === 'choice') continue;
      for (const limit of [min!, max!])
        expect(applyConfigChanges(DEFAULT_RUN_CONFIG, { [id]: limit })[id]).toBe(limit);
      for (const beyond of [min! - 1, max! + 1]) {
        expect(() => applyConfigChanges(DEFAULT_RUN_CONFIG, { [id]: beyond })).toThrow(ConfigError);
      }
    }
  });

  it('names the parameter that is wrong', () => {
    const wrong = (changes: Record<string, unknown>) => () => applyConfigChanges(DEFAULT_RUN_CONFIG, changes);
    expect(wrong({ tauExpnad: 1 })).toThrow(/tauExpnad/);
    expect(wrong({ policy: 'psychic' })).toThrow(/policy/);
    expect(wrong({ maxActions: 1.5 })).toThrow(/maxActions/);
  });
});
