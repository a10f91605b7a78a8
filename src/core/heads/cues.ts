/**
 * What a head looks for beside what the policy asks. Every cue is a scorer of its own, so that it works on top of any
 * policy; none needs training.
 */
import type { Asked, HistoryWords } from '../lexical/history-words.ts';
import { createBm25Scorer } from '../policies/bm25.ts';
import { entryScorer } from '../policies/entry-scorer.ts';
import { createRecencyScorer } from '../policies/recency.ts';
import type { Scorer } from '../policies/scorer.ts';
import { standings } from '../policies/standing.ts';
import type { HeadCue } from '../parameters/heads.ts';
import { K } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import type { BlockSignals } from './block-signals.ts';

/** What a cue may ask of the memory. */
export interface CuePorts {
  readonly tree: GistTree;
  readonly words: HistoryWords;
  readonly signals: BlockSignals;
  readonly textOf: (ids: Uint32Array) => string;
}

interface Cue {
  readonly sentence: string;
  /** Null: it adds no score. */
  readonly create: ((budgetTokens: number, ports: CuePorts) => Scorer) | null;
}

export const CUES: Readonly<Record<HeadCue, Cue>> = {
  plain: { sentence: 'What the policy asks for, and nothing else.', create: null },
  recency: {
    sentence: 'What is new, as far back as the head’s budget reaches.',
    create: (budgetTokens) => createRecencyScorer({ budgetTokens }),
  },
  query: {
    sentence: 'Blocks with the question’s words (BM25).',
    create: (_, ports) => createBm25Scorer(ports),
  },
  names: {
    sentence: 'Blocks with names that the question holds, or else with any.',
    create: (_, ports) =>
      blockScorer('names', ports, ({ query }, blocks) => ports.signals.names(ports.textOf(query), blocks)),
  },
  rare: {
    sentence: 'Blocks whose words are rare in the history, and those whose loss was measured to cost much.',
    create: (_, ports) =>
      blockScorer('rare', ports, (_asked, blocks) => {
        const { sensitivity } = ports.tree.metadata(1);
        return ports.signals.rarity(blocks).map((rarity, block) => {
          const measured = block < sensitivity.length ? sensitivity.get(block) : Number.NaN;
          return measured > 0 ? rarity * (1 + measured) : rarity;
        });
      }),
  },
  aggregation: {
    sentence: 'Whatever shares a word with the question, each such block about as much as the next.',
    create: (_, ports) =>
      blockScorer('aggregation', ports, ({ query }, blocks) =>
        ports.words.shares(query, blocks).map(Math.sqrt),
      ),
  },
  learned: {
    sentence: 'What the head was trained to want: LensNet with its own low-rank adapter and prompt.',
    create: null,
  },
  part: { sentence: 'One sentence of the question alone, as if nothing else had been asked.', create: null },
};

/** How far each entry's best block stands out, as `standings` has it. Only what stands whole before the query counts. */
function blockScorer(
  id: string,
  { words }: Pick<CuePorts, 'words'>,
  figuresOf: (asked: Asked, blocks: number) => Float64Array,
): Scorer {
  return entryScorer(id, (view) => {
    const asked = words.askedAt(view.cursor, 0);
    const figures = figuresOf(asked, Math.floor(asked.queryStart / K));
    const best = Float64Array.from(view.entries, ({ start, end }) => {
      let most = 0;
      for (let block = start / K; block < end / K; block++) most = Math.max(most, figures[block] ?? 0);
      return most;
    });
    const scores = standings(best);
    return (_entry, _firstSlot, index) => scores[index]!;
  });
}
