/** The random policy: what focus without knowledge achieves. */
import { hashUint32 } from '../../base/rng.ts';
import { spanIdOf } from '../tree/ids.ts';
import { entryScorer } from './entry-scorer.ts';
import { definePolicy } from './policy.ts';

/** Uniform in [-1, 1], drawn for every entry and refocus step; a function of seed, step and span alone. */
export const randomPolicy = definePolicy({
  id: 'random',
  sentence: 'A fresh draw for every entry and refocus: what focus without knowledge achieves.',
  reads: ['seed'],
  create: ({ seed }) =>
    entryScorer('random', (view) => (entry) => {
      const hash = hashUint32(seed, view.step ?? 0, spanIdOf(entry.lod, entry.start));
      return (2 * hash) / 0xffffffff - 1;
    }),
});
