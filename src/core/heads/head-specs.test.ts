import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, runConfigSchema } from '../trace/config.ts';
import { HEAD_CUES } from '../parameters/heads.ts';
import { configOf } from '../testing/fake-history.ts';
import {
  checkHeads,
  headConfig,
  headCues,
  headSpecs,
  MIN_HEAD_TOKENS,
  STAGING_HEAD,
  writtenCues,
} from './head-specs.ts';

describe('the heads of a run', () => {
  it('share the budget by blocks, in the parts that were asked for', () => {
    const config = configOf({ heads: 3, headCues: 'plain*2, names', budgetTokens: 1024 });
    expect(headSpecs(config)).toEqual([
      { cue: 'plain', ordinal: 0, budgetTokens: 384, isMuted: false },
      { cue: 'names', ordinal: 0, budgetTokens: 192, isMuted: false },
      { cue: 'plain', ordinal: 1, budgetTokens: 384, isMuted: false },
    ]);
  });

  it('are written as they are read', () => {
    const config = configOf({ heads: 4, headCues: 'plain*2, names' });
    expect(writtenCues(headCues(config))).toBe('plain*2, names, plain*2, names');
    const changed = { ...config, headCues: writtenCues(headCues(configOf({ heads: 4, headCues: '' }))) };
    expect(headSpecs(changed)).toEqual(headSpecs({ ...changed, headCues: '' }));
  });

  it('never get more than the budget together, and each its recent window within its own', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 64, max: 32768 }),
        fc.array(fc.tuple(fc.constantFrom(...HEAD_CUES), fc.integer({ min: 1, max: 9 })), { maxLength: 9 }),
        (heads, budgetTokens, cues) => {
          const headCues = cues.map(([cue, weight]) => `${cue}*${weight}`).join(', ');
          const config = configOf({ heads, budgetTokens, headCues });
          const own = Array.from({ length: heads }, (_, head) => headConfig(config, head));
          const sum = own.reduce((total, head) => total + head.budgetTokens, 0);
          expect(sum).toBeLessThanOrEqual(budgetTokens);
          try {
            checkHeads(config);
          } catch {
            return;
          }
          for (const head of own) {
            expect(head.budgetTokens).toBeGreaterThanOrEqual(heads === 1 ? 64 : MIN_HEAD_TOKENS);
            expect(head.recentTokens).toBeLessThanOrEqual(config.recentTokens);
          }
        },
      ),
    );
  });

  it('leave a run with one head as it is', () => {
    expect(headConfig(DEFAULT_RUN_CONFIG, 0)).toBe(DEFAULT_RUN_CONFIG);
    expect(headSpecs(DEFAULT_RUN_CONFIG)).toMatchObject([{ cue: 'plain', budgetTokens: 8192 }]);
  });

  it('know those that are muted', () => {
    const specs = headSpecs(configOf({ heads: 3, mutedHeads: '2, 0, 7' }));
    expect(specs.map(({ isMuted }) => isMuted)).toEqual([true, false, true]);
  });

  it.each([
    [{ heads: 8, budgetTokens: 512 }, /^heads = 8: .* leaves one of them 64, .* room for 4 /],
    [{ heads: 2, budgetTokens: 512, headCues: 'plain*9, names' }, /^heads = 2: .* leaves one of them 32/],
    [{ heads: 2, mutedHeads: '0,1' }, /^mutedHeads = "0,1": no head would be left/],
    [{ stagingBudgetTokens: 1024 }, /^stagingBudgetTokens = 1024: staging must be wider/],
  ])('are refused by name where they cannot be: %o', (changes, message) => {
    expect(() => {
      checkHeads(configOf(changes));
    }).toThrow(message);
  });

  it.each(['name', 'plain names', 'plain*', 'plain*100', ';', 'plain,,names'])(
    'refuse cues that are written otherwise: %s',
    (headCues) => {
      expect(runConfigSchema.safeParse(configOf({ headCues })).success).toBe(false);
    },
  );

  it.each(['', 'plain', ' plain , names*3,part ', 'query,'])('take the cues %j', (headCues) => {
    expect(runConfigSchema.safeParse(configOf({ headCues })).success).toBe(true);
  });

  it('give staging a budget of its own, and no look below', () => {
    const staging = headConfig(configOf({ stagingBudgetTokens: 50_000, lookAheadPages: 64 }), STAGING_HEAD);
    expect(staging).toMatchObject({ budgetTokens: 50_000, lookAheadPages: 0 });
  });
});
