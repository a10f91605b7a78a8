/** What the tree explorer shows: whether it is open, what heat means, what was looked for and found. */
import { create } from 'zustand';
import type { SimilarSearch, TextSearch } from '../../runtime/protocol.ts';
import type { Heat } from '../explorer/icicle.ts';

/** What a search came to. */
export type Found =
  | { readonly kind: 'text'; readonly query: string; readonly answer: TextSearch }
  | { readonly kind: 'meaning'; readonly query: string; readonly answer: SimilarSearch };

interface ExplorerStore {
  readonly open: boolean;
  readonly heat: Heat;
  readonly searchBy: Found['kind'];
  readonly searching: boolean;
  readonly found: Found | null;
}

export const useExplorer = create<ExplorerStore>()(() => ({
  open: false,
  heat: 'accesses',
  searchBy: 'text',
  searching: false,
  found: null,
}));

const NO_HITS: readonly { readonly start: number; readonly end: number }[] = [];

/** The found spans as the explorer marks them. */
export function foundSpans(found: Found | null): typeof NO_HITS {
  if (found === null) return NO_HITS;
  return found.kind === 'text' ? found.answer.hits : found.answer.levels.flatMap(({ hits }) => hits);
}
