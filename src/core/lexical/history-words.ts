/**
 * A history's words against what is asked at a cursor: keyword search, and LensNet's lexical features. All of it
 * follows from the tokens and roles before the cursor, so that a view of an earlier cursor comes out as it did then.
 */
import type { GistTree } from '../tree/gist-tree.ts';
import { K } from '../tree/ids.ts';
import { questionAt } from '../tree/question-at.ts';
import type { SealedSegments } from './postings.ts';
import { bestOfEntries } from './best-of-entries.ts';
import { type BlockValues, denseValues } from './block-values.ts';
import { type BlockShares, type PieceReader, type SealedIndex, WindowIndex } from './window-index.ts';
import { withoutMarkup, type WordMatch } from './words.ts';

/** What an entry shares with what is asked, each in [0, 1]; docs/models.md has the rule. In this order. */
export const LEXICAL_FEATURE_NAMES = ['bm25', 'asked', 'askedNear', 'tail', 'tailNear'] as const;
export const LEXICAL_FEATURES = LEXICAL_FEATURE_NAMES.length;

/** How many of the newest tokens are the query while nobody asks. */
export const QUERY_TOKENS = 64;
/**
 * How many questions' figures are kept, and tails': a turn's end asks one question after the other, again and again, and
 * a question stands while its answer's tail moves on.
 */
const REMEMBERED = 12;

/** What blocks are compared with. */
export interface Asked {
  readonly query: Uint32Array;
  /** The newest tokens, which LensNet reads as its tail. */
  readonly tail: Uint32Array;
  /** Only what stands before query and tail is compared: their own blocks would be the best matches. */
  readonly queryStart: number;
  readonly tailStart: number;
}

/** An entry of a working context, as far as words are concerned. */
interface SlotSpan {
  readonly start: number;
  readonly end: number;
  /** In slots. */
  readonly cost: number;
}

/** What the history says of a query. */
interface QueryFigures extends BlockShares {
  readonly ranks: BlockValues;
  readonly bestRank: number;
}

export class HistoryWords {
  private readonly index: WindowIndex;
  /** By what was asked, and by the tail; the oldest first. */
  private readonly queries = new Map<string, QueryFigures>();
  private readonly tails = new Map<string, BlockShares>();
  private readonly others = new Map<WordMatch, HistoryWords>();

  /**
   * @param tree - borrowed; it may grow.
   * @param sealed - of this tree's first tokens; they are not read again. Or an index of the same tree, shared.
   */
  constructor(
    private readonly tree: Pick<GistTree, 'tokens' | 'tokenCount' | 'provenanceOf'>,
    private readonly createPieces: () => PieceReader,
    sealed?: SealedIndex | WindowIndex,
    private readonly match: WordMatch = 'stems',
  ) {
    this.index = sealed instanceof WindowIndex ? sealed : new WindowIndex(createPieces(), sealed);
  }

  /** The same history compared in this way, over the same index. */
  matching(match: WordMatch): HistoryWords {
    if (match === this.match) return this;
    const known = this.others.get(match) ?? new HistoryWords(this.tree, this.createPieces, this.index, match);
    this.others.set(match, known);
    return known;
  }

  /** Index the whole history, and seal what was not sealed yet, to be stored; null where all was. */
  seal(): SealedSegments | null {
    this.takeIn();
    return this.index.seal();
  }

  /** The last question, while it is near; what stands before it would be searched for as well. Or the newest tokens. */
  queryAt(cursor: number): { readonly start: number; readonly end: number } {
    return questionAt(this.tree, cursor) ?? { start: Math.max(0, cursor - QUERY_TOKENS), end: cursor };
  }

  /** What is asked at a cursor. @param tailTokens - how many tokens LensNet's tail holds at most. */
  askedAt(cursor: number, tailTokens: number): Asked {
    const { start, end } = this.queryAt(cursor);
    const tailStart = Math.max(0, cursor - tailTokens);
    return {
      query: this.tree.tokens(start, end),
      tail: this.tree.tokens(tailStart, cursor),
      queryStart: start,
      tailStart,
    };
  }

  /** BM25 of the blocks that stand whole before the query. */
  rank(asked: Pick<Asked, 'query' | 'queryStart'>): BlockValues {
    return this.queryFigures(asked).ranks;
  }

  /** `[blocks]` what share of a query's words, each as much as it is rare, the first blocks hold. */
  shares(query: Uint32Array, blocks: number): Float64Array {
    this.takeIn();
    return denseValues(this.index.shares(this.textOf(query), blocks).own, blocks);
  }

  /**
   * `[slots, LEXICAL_FEATURES]`, all slots of an entry alike: of every feature the best of the entry's blocks, since a
   * page is worth opening for one of them.
   *
   * @param entries - ascending, as a layout has them.
   * @param out - filled and returned; new where absent.
   */
  features(
    entries: readonly SlotSpan[],
    asked: Asked,
    out = new Float32Array(entries.reduce((slots, { cost }) => slots + cost, 0) * LEXICAL_FEATURES),
  ): Float32Array {
    const { ranks, bestRank, own: asks, near: asksNear } = this.queryFigures(asked);
    const { own, near } = this.tailFigures(asked);
    const [bm25, ...shares] = [ranks, asks, asksNear, own, near].map((figures) =>
      bestOfEntries(entries, figures),
    );
    let at = 0;
    entries.forEach(({ cost }, entry) => {
      const first = at;
      out[at++] = bestRank > 0 ? bm25![entry]! / bestRank : 0;
      for (const column of shares) out[at++] = column[entry]!;
      for (let slot = 1; slot < cost; slot++, at += LEXICAL_FEATURES)
        out.copyWithin(at, first, first + LEXICAL_FEATURES);
    });
    return out;
  }

  private queryFigures({ query, queryStart }: Pick<Asked, 'query' | 'queryStart'>): QueryFigures {
    this.takeIn();
    return this.remembered(this.queries, query, queryStart, (text, blocks) => {
      const ranks = this.index.rank(text, blocks, this.match);
      let bestRank = 0;
      for (const rank of ranks.values) if (rank > bestRank) bestRank = rank;
      return { ranks, bestRank, ...this.index.shares(text, blocks, this.match) };
    });
  }

  private tailFigures({ tail, tailStart }: Pick<Asked, 'tail' | 'tailStart'>): BlockShares {
    this.takeIn();
    return this.remembered(this.tails, tail, tailStart, (text, blocks) =>
      this.index.shares(text, blocks, this.match),
    );
  }

  /** @param work - for the text of `ids`, and the blocks that stand whole before `start`. */
  private remembered<T>(
    known: Map<string, T>,
    ids: Uint32Array,
    start: number,
    work: (text: string, blocks: number) => T,
  ): T {
    const key = `${start};${ids.join()}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const blocks = Math.floor(start / K);
    const figures = work(this.textOf(ids), blocks);
    if (!this.index.isSettled(blocks * K)) return figures;
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value!);
    known.set(key, figures);
    return figures;
  }

  /** Index what the history gained. */
  private takeIn(): void {
    const { index, tree } = this;
    index.add(tree.tokens(index.tokenCount, tree.tokenCount));
  }

  private textOf(ids: Uint32Array): string {
    const pieces = this.createPieces();
    let text = '';
    for (const id of ids) text += pieces.push(id);
    return withoutMarkup(text);
  }
}
