import { describe, expect, it } from 'vitest';
import { logSumExp, sampleToken, topTokens, type SamplingConfig } from './sampler.ts';

const GREEDY: SamplingConfig = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1 };
const logits = new Float32Array([0, 2, 1, -1]);
const never = () => {
  throw new Error('Greedy sampling must not draw.');
};
/** Draws evenly spread over [0, 1). */
function sweep(settings: SamplingConfig, draws = 2000): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) {
    const { tokenId } = sampleToken(logits, settings, [], () => i / draws);
    counts[tokenId]!++;
  }
  return counts.map((count) => count / draws);
}

describe('sampleToken', () => {
  it('is greedy at temperature 0 and reports the model’s log-probability and entropy', () => {
    const sample = sampleToken(logits, GREEDY, [], never);
    const probabilities = [0, 2, 1, -1].map((logit) => Math.exp(logit - logSumExp(logits)));
    expect(sample.tokenId).toBe(1);
    expect(sample.logProbability).toBeCloseTo(Math.log(probabilities[1]!), 6);
    expect(sample.entropy).toBeCloseTo(-probabilities.reduce((sum, p) => sum + p * Math.log(p), 0), 6);
  });

  it('breaks ties by the lowest id', () => {
    expect(sampleToken(new Float32Array([1, 3, 3]), GREEDY, [], never).tokenId).toBe(1);
  });

  it('follows the softmax at temperature 1', () => {
    const shares = sweep({ ...GREEDY, temperature: 1 });
    shares.forEach((share, id) => {
      expect(share).toBeCloseTo(Math.exp(logits[id]! - logSumExp(logits)), 2);
    });
  });

  it('keeps the k most likely only', () => {
    expect(sweep({ ...GREEDY, temperature: 5, topK: 2 }).map((share) => share > 0)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('keeps the smallest set that reaches p, and always one token', () => {
    expect(sweep({ ...GREEDY, temperature: 1, topP: 0.7 }).map((share) => share > 0)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(sweep({ ...GREEDY, temperature: 1, topP: 0 })[1]).toBe(1);
  });

  it('penalises tokens seen, positive and negative logits alike', () => {
    const penalty = { ...GREEDY, repetitionPenalty: 3 };
    expect(sampleToken(logits, penalty, [1, 1], never).tokenId).toBe(2);
    expect(sampleToken(new Float32Array([-1, -2]), penalty, [0], never).tokenId).toBe(1);
    expect(sampleToken(logits, penalty, [999], never).tokenId).toBe(1);
  });

  it('gives the same token for the same draw', () => {
    const settings = { ...GREEDY, temperature: 1.5 };
    for (const u of [0, 0.3, 0.999999]) {
      expect(sampleToken(logits, settings, [], () => u)).toEqual(sampleToken(logits, settings, [], () => u));
    }
  });

  it('survives logits that overflow a naive softmax', () => {
    const sample = sampleToken(new Float32Array([1e4, -1e4]), { ...GREEDY, temperature: 1 }, [], () => 0.5);
    expect(sample).toEqual({ tokenId: 0, logProbability: 0, entropy: 0 });
  });
});

describe('topTokens', () => {
  it('lists the most likely tokens in order', () => {
    const top = topTokens(logits, 2);
    expect(top.map(({ tokenId }) => tokenId)).toEqual([1, 2]);
    expect(top[0]!.probability).toBeGreaterThan(top[1]!.probability);
    expect(topTokens(logits, 100)).toHaveLength(4);
  });
});
