/** What the explorer calls the measures and states of nodes. */
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { NodeState } from '../../../core/tree/query/node-filter.ts';

interface MeasureWords {
  readonly title: string;
  readonly hint: string;
  readonly whole: boolean;
}

export const MEASURE_WORDS: Readonly<Record<NodeMeasure, MeasureWords>> = {
  accessCount: {
    title: 'Accesses',
    hint: 'After how many refocuses a node stood in the working context',
    whole: true,
  },
  lastAccessStep: {
    title: 'Last access',
    hint: 'The last refocus after which a node stood in the working context',
    whole: true,
  },
  expansions: { title: 'Expansions', hint: 'How often a gist was replaced by its children', whole: true },
  collapses: { title: 'Collapses', hint: 'How often a node was replaced by its parent', whole: true },
  residency: {
    title: 'Residency',
    hint: 'How many refocuses a node stayed in the working context, as of its last access',
    whole: true,
  },
  sensitivity: {
    title: 'ΔNLL',
    hint: 'What losing a node’s detail was measured to cost, nats per token; few nodes are measured',
    whole: false,
  },
  createdAtStep: { title: 'Made at step', hint: 'The refocus during which a node came to be', whole: true },
  gistVersion: { title: 'Gist version', hint: 'The GistNet that made the gist', whole: true },
};

/** The states that something can bring a node into. */
export const STATE_TITLES: Readonly<Partial<Record<NodeState, string>>> = {
  pinned: 'Pinned',
  forbidden: 'Forbidden to expand',
  tagged: 'Tagged',
  cold: 'Pruned (cold tier)',
  hidden: 'Hidden with its document',
  stale: 'Gist of another version',
};
