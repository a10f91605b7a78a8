import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  DEFAULT_RUN_CONFIG,
  applyConfigChanges,
  changedIds,
  changesBetween,
  haveEffect,
  modelDefaultsSchema,
  runConfigSchema,
} from './config.ts';
import { PARAMETERS, parameterNamed, readParameter } from '../parameters/parameters.ts';

describe('run configuration', () => {
  it('has defaults that its schema accepts', () => {
    expect(runConfigSchema.parse(DEFAULT_RUN_CONFIG)).toEqual(DEFAULT_RUN_CONFIG);
  });

  it('takes every parameter of the table, up to the ends of its range', () => {
    expect(Object.keys(DEFAULT_RUN_CONFIG)).toEqual(PARAMETERS.map(({ id }) => id));
    for (const parameter of PARAMETERS) {
      if (parameter.kind === 'choice' || parameter.kind === 'text') continue;
      const { id, min, max } = parameter;
      for (const limit of [min, max])
        expect(applyConfigChanges(DEFAULT_RUN_CONFIG, { [id]: limit })[id]).toBe(limit);
      for (const beyond of [min - 1, max + 1]) {
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

  it('says what differs, and what that makes stale', () => {
    expect(changedIds(DEFAULT_RUN_CONFIG, { ...DEFAULT_RUN_CONFIG })).toEqual([]);
    const config = { ...DEFAULT_RUN_CONFIG, policy: 'random' as const, tauExpand: 0.5 };
    const ids = changedIds(DEFAULT_RUN_CONFIG, config);
    expect(ids).toEqual(['tauExpand', 'policy']);
    expect(changesBetween(DEFAULT_RUN_CONFIG, config)).toEqual({ tauExpand: 0.5, policy: 'random' });
    expect(changesBetween(config, DEFAULT_RUN_CONFIG)).toEqual({ tauExpand: 0.2, policy: 'lensnet' });
    expect([haveEffect(ids, 'moves'), haveEffect(ids, 'scorer'), haveEffect(ids, 'decoder')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('lets a manifest set what a model was measured with, and nothing else', () => {
    const least = { budgetTokens: 1024, recentTokens: 256 };
    expect(modelDefaultsSchema.parse({ ...least, tauExpand: 0.3 })).toEqual({ ...least, tauExpand: 0.3 });
    expect(modelDefaultsSchema.safeParse({ budgetTokens: 1024 }).success).toBe(false);
    expect(modelDefaultsSchema.safeParse({ ...least, temperature: 1 }).success).toBe(false);
  });
});

describe('a parameter read from text', () => {
  const read = (id: string, text: string) => readParameter(parameterNamed(id)!, text);

  it('is what is in range, with or without separators', () => {
    expect(read('budgetTokens', '1,024')).toEqual({ ok: true, value: 1024 });
    expect(read('tauExpand', ' 0.35 ')).toEqual({ ok: true, value: 0.35 });
    expect(read('tauExpand', '0,1')).toEqual({ ok: true, value: 0.1 });
    expect(read('lod1WindowTokens', '16 384')).toEqual({ ok: true, value: 16_384 });
    expect(read('policy', 'bm25')).toEqual({ ok: true, value: 'bm25' });
    for (const parameter of PARAMETERS) {
      const reading = readParameter(parameter, String(parameter.default));
      expect(reading).toEqual({ ok: true, value: DEFAULT_RUN_CONFIG[parameter.id] });
    }
  });

  it('says what is wrong with the rest', () => {
    expect(read('budgetTokens', 'lots')).toEqual({ ok: false, message: '“lots” is not a number' });
    expect(read('budgetTokens', '')).toMatchObject({ ok: false });
    expect(read('budgetTokens', '12.5')).toEqual({ ok: false, message: 'only whole numbers' });
    expect(read('budgetTokens', '1')).toEqual({ ok: false, message: 'between 64 and 32,768' });
    expect(read('tauExpand', '−0.2')).toEqual({ ok: false, message: 'between 0 and 1' });
    expect(read('budgetTokens', '0x400')).toMatchObject({ ok: false });
    expect(read('tauExpand', '1.2')).toEqual({ ok: false, message: 'between 0 and 1' });
    expect(read('policy', 'wish')).toMatchObject({ ok: false });
  });
});
