/**
 * Names and rare words of a growing history's blocks. A name is a word that is written with a capital letter inside a
 * sentence, or a number; how rare a word is follows from how many blocks hold it.
 */
import type { PieceReader } from '../lexical/window-index.ts';
import { fold, searchWords, stem } from '../lexical/words.ts';
import { K } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';

/** The rarest words of a block stand for it. */
const RAREST = 3;

interface Seen {
  /** Blocks that hold the word, ascending. */
  readonly blocks: number[];
  isName: boolean;
}

export class BlockSignals {
  private readonly words = new Map<string, Seen>();
  private readonly pieces: PieceReader;
  private taken = 0;
  private open = '';
  private openedAt = 0;
  /** The last character before the open word that was no space. */
  private before = '.';

  /** @param tree - borrowed; it may grow. */
  constructor(
    private readonly tree: Pick<GistTree, 'tokens' | 'tokenCount'>,
    createPieces: () => PieceReader,
  ) {
    this.pieces = createPieces();
  }

  /**
   * `[blocks]` how rare the names of each block are, summed; where the question names what the history knows, those
   * names alone.
   *
   * @param question - any text.
   */
  names(question: string, blocks: number): Float64Array {
    this.takeIn();
    const asked = searchWords(question).flatMap((word) => {
      const seen = this.words.get(word);
      return seen?.isName === true && (seen.blocks[0] ?? blocks) < blocks ? [seen] : [];
    });
    const names = asked.length > 0 ? new Set(asked) : this.words.values();
    const sums = new Float64Array(blocks);
    for (const { blocks: holding, isName } of names) {
      if (!isName) continue;
      const rarity = rarityOf(holding.length, blocks);
      for (const block of holding) if (block < blocks) sums[block]! += rarity;
    }
    return sums;
  }

  /** `[blocks]` how rare the three rarest words of each block are, on average. */
  rarity(blocks: number): Float64Array {
    this.takeIn();
    const rarest = new Float64Array(blocks * RAREST);
    for (const { blocks: holding } of this.words.values()) {
      const rarity = rarityOf(holding.length, blocks);
      for (const block of holding) {
        if (block < blocks) insert(rarest.subarray(block * RAREST, (block + 1) * RAREST), rarity);
      }
    }
    return Float64Array.from({ length: blocks }, (_, block) => {
      const own = rarest.subarray(block * RAREST, (block + 1) * RAREST);
      return own.reduce((sum, rarity) => sum + rarity, 0) / RAREST;
    });
  }

  private takeIn(): void {
    const ids = this.tree.tokens(this.taken, this.tree.tokenCount);
    for (const id of ids) {
      const token = this.taken++;
      for (const character of this.pieces.push(id)) {
        if (/[\p{L}\p{N}]/u.test(character)) {
          if (this.open === '') this.openedAt = token;
          this.open += character;
        } else {
          this.close();
          if (/\S/u.test(character) || character === '\n') this.before = character;
        }
      }
    }
  }

  private close(): void {
    if (this.open === '') return;
    const word = stem(fold(this.open));
    const block = Math.floor(this.openedAt / K);
    const opensSentence = /[.!?:\n"“”]/u.test(this.before);
    const isName = /^\p{N}/u.test(this.open) || (!opensSentence && /^\p{Lu}/u.test(this.open));
    const seen = this.words.get(word);
    if (seen === undefined) this.words.set(word, { blocks: [block], isName });
    else {
      if (seen.blocks.at(-1) !== block) seen.blocks.push(block);
      seen.isName ||= isName;
    }
    this.before = this.open.at(-1)!;
    this.open = '';
  }
}

/** The inverse document frequency of BM25, never negative. */
function rarityOf(holding: number, all: number): number {
  return Math.log(1 + (Math.max(0, all - holding) + 0.5) / (holding + 0.5));
}

/** Into `[n]` highest first, dropping the lowest. */
function insert(highest: Float64Array, value: number): void {
  let at = highest.length - 1;
  if (value <= highest[at]!) return;
  for (; at > 0 && highest[at - 1]! < value; at--) highest[at] = highest[at - 1]!;
  highest[at] = value;
}
