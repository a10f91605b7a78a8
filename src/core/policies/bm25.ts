/** The bm25 policy: keyword search for what is asked, as strong as keyword search is. */
import { bestOfEntries } from '../lexical/best-of-entries.ts';
import { entryScorer } from './entry-scorer.ts';
import { definePolicy, type PolicyPorts } from './policy.ts';
import type { Scorer } from './scorer.ts';
import { standings } from './standing.ts';

export const bm25Policy = definePolicy({
  id: 'bm25',
  sentence: 'Keyword search (BM25 over windows of words) for the question, or else for the newest 64 tokens.',
  reads: [],
  create: (_, ports) => createBm25Scorer(ports),
});

/** An entry counts as its best block, and scores as `standings` has it. */
export function createBm25Scorer({ words }: Pick<PolicyPorts, 'words'>): Scorer {
  return entryScorer('bm25', (view) => {
    // The query is the question whatever the tail.
    const scores = standings(bestOfEntries(view.entries, words.rank(words.askedAt(view.cursor, 0))));
    return (_entry, _firstSlot, position) => scores[position]!;
  });
}
