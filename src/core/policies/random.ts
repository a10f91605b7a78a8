/** The random policy: what focus without knowledge achieves. */
import { spanIdOf } from '../tree/ids.ts';
import type { Scorer } from './ports.ts';
import { hashUint32 } from '../../base/rng.ts';
import { entryScorer } from './entry-scorer.ts';

/** Uniform in [-1, 1], drawn afresh for every entry and refocus step; a function of seed, step and span alone. */
export function createRandomScorer(options: { readonly seed: number }): Scorer {
  return entryScorer('random', (view) => (entry) => {
    const hash = hashUint32(options.seed, view.step ?? 0, spanIdOf(entry.lod, entry.start));
    return (2 * hash) / 0xffffffff - 1;
  });
}
