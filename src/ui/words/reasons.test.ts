import { describe, expect, it } from 'vitest';
import { REASONS } from '../../core/trace/telemetry.ts';
import type { ActionRecord } from '../../core/trace/telemetry.ts';
import { actionLine, actionSentence, actionTitle } from './reasons.ts';

const thresholds = { tauExpand: 0.2, tauCollapse: 0.2 };
const expand: ActionRecord = {
  kind: 'expand',
  lod: 2,
  start: 4096,
  end: 5120,
  toLod: 1,
  score: 0.61,
  rank: 1,
  costDelta: 31,
  reason: 'score-above-tau',
  applied: true,
  pass: 0,
  paidBy: [[1, 0, 32]],
};

describe('reasons in words', () => {
  it('tells score, threshold, rank, cost and what paid', () => {
    expect(actionTitle(expand)).toBe('Expanded LOD2 → LOD1');
    expect(actionSentence(expand, thresholds)).toBe(
      'Score +0.61 was above τ_expand +0.20. Rank 1 of the expand queue. Cost +31 tokens, paid for by collapsing LOD1 0–32.',
    );
    expect(actionLine(expand)).toBe('Expanded LOD2 → LOD1 at 4,096, score +0.61');
  });

  it('tells what a refusal lacked', () => {
    const refused: ActionRecord = {
      ...expand,
      applied: false,
      reason: 'no-budget',
      missingTokens: 12,
      paidBy: [],
    };
    expect(actionTitle(refused)).toBe('Expansion to LOD1 refused');
    expect(actionSentence(refused, thresholds)).toContain('12 tokens of budget were missing');
    expect(actionSentence(refused, thresholds)).toContain('Would cost +31 tokens.');
    const cooling: ActionRecord = { ...expand, applied: false, reason: 'cooldown', cooldownLeft: 1 };
    expect(actionSentence(cooling, thresholds)).toContain('1 refocus of cooldown left');
  });

  it('names collapses by the level they came from and evictions by their own', () => {
    expect(actionTitle({ ...expand, kind: 'collapse', lod: 1, toLod: 1 })).toBe('Collapsed LOD0 → LOD1');
    expect(actionTitle({ ...expand, kind: 'evict', toLod: 2 })).toBe('Evicted at LOD2');
  });

  it('has a sentence for every reason', () => {
    for (const reason of REASONS) {
      expect(
        actionSentence({ ...expand, reason, score: null, rank: null }, thresholds).length,
      ).toBeGreaterThan(10);
    }
  });
});
