import { describe, expect, it } from 'vitest';
import { K } from '../../core/tree/ids.ts';
import { CentredMeanGistNet } from './centred-mean.ts';

const vocabulary = Float32Array.of(9, 1, 11, 3, 10, -1);
const net = new CentredMeanGistNet(Float32Array.of(10, 1));
/** Two blocks: the first holds token 0 only, the second tokens 1 and 2 by turns. */
const children = Float32Array.from({ length: 2 * K * 2 }, (_, i) => {
  const row = Math.floor(i / 2);
  const token = row < K ? 0 : 1 + (row % 2);
  return vocabulary[2 * token + (i % 2)]!;
});

describe('CentredMeanGistNet', () => {
  it('takes the vocabulary out of the mean at LOD1', async () => {
    expect([...(await net.compress(1, children, [0, 0]))]).toEqual([-1, 0, 0.5, 0]);
  });

  it('leaves it alone above, where children are centred', async () => {
    expect([...(await net.compress(2, children, [0, 0]))]).toEqual([9, 1, 10.5, 1]);
  });

  it('refuses another number of children', async () => {
    await expect(net.compress(1, children.subarray(2), [0, 0])).rejects.toThrow('children');
  });
});
