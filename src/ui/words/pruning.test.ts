import { expect, it } from 'vitest';
import { pruningSentence } from './pruning.ts';

it('says what moved, why and what it was measured to cost', () => {
  const run = (lod: number, first: number, count: number, bytes: number) => ({
    lod,
    first,
    count,
    bytes,
    checksum: 1,
  });
  const event = { type: 'prune', step: 3, timeMs: 0, action: 'prune', reason: 'rules' } as const;
  const runs = [run(0, 0, 2, 256), run(0, 5, 1, 128), run(1, 32, 32, 8192)];
  const measured = { nodes: 2, meanDeltaNll: 0.0031, maxDeltaNll: 0.004 };
  expect(pruningSentence({ ...event, runs, measured })).toBe(
    '3 raw blocks (384\u2009B), 32 LOD1 gists (8.19\u2009kB), by the rules; losing 2 of them was measured at +0.003 nats/token.',
  );
  expect(pruningSentence({ ...event, reason: 'manual', runs: [run(0, 0, 1, 128)] })).toBe(
    '1 raw block (128\u2009B), by hand.',
  );
});
