/**
 * A history's words against what is asked at a cursor: keyword search, and LensNet's lexical features. All of it
 * follows from the tokens and roles before the cursor, so that a view of an earlier cursor comes out as it did then.
 */
import type { GistTree } from '../tree/gist-tree.ts';
import { K } from '../tree/ids.ts';
import type { SealedSegments } from './postings.ts';
import { type PieceReader, type SealedIndex, WindowIndex } from './window-index.ts';

/** What an entry shares with what is asked, each in [0, 1]; docs/models.md has the rule. In this order. */
export const LEXICAL_FEATURE_NAMES = ['bm25', 'asked', 'askedNear', 'tail', 'tailNear'] as const;
export const LEXICAL_FEATURES = LEXICAL_FEATURE_NAMES.length;

/** How many of the newest tokens are the query while nobody asks. */
export const QUERY_TOKENS = 64;
/** A question further back than this is no longer what the newest tokens are about. */
export const QUESTION_REACH_TOKENS = 256;
/** How many questions' figures are kept: a turn's end asks one after the other, again and again. */
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

type Features = readonly Float32Array[];

export class HistoryWords {
  private readonly index: WindowIndex;
  /** By what was asked; the oldest first. */
  private readonly known = new Map<string, Features>();

  /**
   * @param tree - borrowed; it may grow.
   * @param sealed - of this tree's first tokens; they are not read again.
   */
  constructor(
    private readonly tree: Pick<GistTree, 'tokens' | 'tokenCount' | 'provenanceOf'>,
    private readonly createPieces: () => PieceReader,
    sealed?: SealedIndex,
  ) {
    this.index = new WindowIndex(createPieces(), sealed);
  }

  /** Index the whole history, and seal what was not sealed yet, to be stored; null where all was. */
  seal(): SealedSegments | null {
    this.takeIn();
    return this.index.seal();
  }

  /** The last question, while it is near; what stands before it would be searched for as well. Or the newest tokens. */
  queryAt(cursor: number): { readonly start: number; readonly end: number } {
    const near = this.tree.provenanceOf(Math.max(0, cursor - QUESTION_REACH_TOKENS), cursor);
    const question = near.findLast(({ start, role }) => role === 'user' && start < cursor);
    if (question === undefined) return { start: Math.max(0, cursor - QUERY_TOKENS), end: cursor };
    const end = Math.min(question.end, cursor);
    return { start: Math.max(question.start, end - QUESTION_REACH_TOKENS), end };
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

  /** `[blocks]` BM25 of the blocks that stand whole before the query. */
  rank({ query, queryStart }: Pick<Asked, 'query' | 'queryStart'>): Float64Array {
    this.takeIn();
    return this.index.rank(this.textOf(query), Math.floor(queryStart / K));
  }

  /** `[blocks]` what share of a query's words, each as much as it is rare, the first blocks hold. */
  shares(query: Uint32Array, blocks: number): Float64Array {
    this.takeIn();
    return this.index.shares(this.textOf(query), blocks).own;
  }

  /**
   * `[slots, LEXICAL_FEATURES]`, all slots of an entry alike: of every feature the best of the entry's blocks, since a
   * page is worth opening for one of them.
   *
   * @param out - filled and returned; new where absent.
   */
  features(
    entries: readonly SlotSpan[],
    asked: Asked,
    out = new Float32Array(entries.reduce((slots, { cost }) => slots + cost, 0) * LEXICAL_FEATURES),
  ): Float32Array {
    const blocks = this.blockFeatures(asked);
    let at = 0;
    for (const { start, end, cost } of entries) {
      const first = at;
      for (const column of blocks) {
        let best = 0;
        const last = Math.min(Math.ceil(end / K), column.length);
        for (let block = start / K; block < last; block++) best = Math.max(best, column[block]!);
        out[at++] = best;
      }
      for (let slot = 1; slot < cost; slot++, at += LEXICAL_FEATURES)
        out.copyWithin(at, first, first + LEXICAL_FEATURES);
    }
    return out;
  }

  /** One column a feature, one row a block that stands whole before what is asked. */
  private blockFeatures(asked: Asked): Features {
    const key = [asked.queryStart, asked.query.join(), asked.tailStart, asked.tail.join()].join(';');
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const ranks = this.rank(asked);
    const best = ranks.reduce((most, rank) => Math.max(most, rank), 0);
    const query = this.index.shares(this.textOf(asked.query), Math.floor(asked.queryStart / K));
    const tail = this.index.shares(this.textOf(asked.tail), Math.floor(asked.tailStart / K));
    const features = [
      Float32Array.from(ranks, (rank) => (best > 0 ? rank / best : 0)),
      ...[query.own, query.near, tail.own, tail.near].map((column) => Float32Array.from(column)),
    ];
    if (this.known.size >= REMEMBERED) this.known.delete(this.known.keys().next().value!);
    this.known.set(key, features);
    return features;
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
    return text;
  }
}
