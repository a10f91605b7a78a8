/** What the tree explorer shows: what heat means, what was looked for and found. */
import type { SimilarSearch, TextSearch } from '../../../runtime/engine/protocol/protocol.ts';
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';

/** What a search came to. */
export type Found =
  | { readonly kind: 'text'; readonly query: string; readonly answer: TextSearch }
  | { readonly kind: 'meaning'; readonly query: string; readonly answer: SimilarSearch };

export interface ExplorerState {
  /** What the cells are coloured by. */
  readonly heat: NodeMeasure;
  readonly searchBy: Found['kind'];
  readonly searching: boolean;
  readonly found: Found | null;
  /** The caret is to go to the search field, as soon as that is shown. */
  readonly wantsCaret: boolean;
}

/** A span of tokens, or, with a level, a gist. */
export interface FoundSpan {
  readonly start: number;
  readonly end: number;
  readonly lod?: number;
}

const NO_HITS: readonly FoundSpan[] = [];

/** The found spans as the explorer marks them. */
export function foundSpans(found: Found | null): readonly FoundSpan[] {
  if (found === null) return NO_HITS;
  if (found.kind === 'text') return found.answer.hits;
  return found.answer.levels.flatMap(({ lod, hits }) => hits.map(({ start, end }) => ({ lod, start, end })));
}
