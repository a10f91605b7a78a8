/** Where a history can be asked about itself: its sentences, and for each a later place to ask from. */
import type { Rng } from '../../base/rng.ts';
import type { PieceReader } from '../../core/lexical/window-index.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { K } from '../../core/tree/ids.ts';
import { clozeQuestion } from './cloze-question.ts';

/** How far back sentences are looked for; bounds the time of a very long history. */
const SEARCHED_TOKENS = 200_000;
/** Of a sentence that a question is made of. */
const LEAST_WORDS = 6;
/** What is longer is no sentence. */
const LONGEST_TOKENS = 2 * K;

export interface Sentence {
  readonly text: string;
  /** Tokens of the history, the last one exclusive. */
  readonly start: number;
  readonly end: number;
}

/** A question that the history could have been asked once it had grown to `cursor`. */
export interface ClozePlace {
  readonly cursor: number;
  readonly question: string;
  /** Where the answer stands. */
  readonly sentence: Sentence;
}

/**
 * The sentences that a question can be made of, in order: whole ones, of words enough, in what the system did not say,
 * which nobody hid and whose blocks can still be opened.
 */
export function findSentences(tree: GistTree, pieces: PieceReader): readonly Sentence[] {
  const first = Math.max(0, Math.floor((tree.tokenCount - SEARCHED_TOKENS) / K) * K);
  const found: Sentence[] = [];
  for (const run of tree.provenanceOf(first, tree.tokenCount)) {
    if (run.role === 'system') continue;
    const start = Math.max(run.start, first);
    for (const sentence of sentencesOf(
      tree.tokens(start, Math.min(run.end, tree.tokenCount)),
      start,
      pieces,
    )) {
      if (canBeOpened(tree, sentence)) found.push(sentence);
    }
  }
  return found;
}

/** Sentences end at a stop before white space, and with a line; the first and last of a run may be cut off, and are. */
function* sentencesOf(ids: Uint32Array, offset: number, pieces: PieceReader): Generator<Sentence> {
  let [text, from] = ['', 0];
  for (let i = 0; i < ids.length; i++) {
    const piece = pieces.push(ids[i]!);
    const isEnd = /[.!?]["'”’)]*$/u.test(text) && /^\s/u.test(piece);
    if (isEnd || piece.includes('\n')) {
      const sentence = { text: text.trim(), start: offset + from, end: offset + i };
      if (isSentence(sentence)) yield sentence;
      [text, from] = ['', piece.includes('\n') ? i + 1 : i];
    }
    if (!piece.includes('\n')) text += piece;
  }
}

function isSentence({ text, start, end }: Sentence): boolean {
  return (
    /[.!?]["'”’)]*$/u.test(text) && text.split(/\s+/u).length >= LEAST_WORDS && end - start <= LONGEST_TOKENS
  );
}

function canBeOpened(tree: GistTree, { start, end }: Sentence): boolean {
  if (tree.hidden.holds(start, end)) return false;
  for (let block = Math.floor(start / K); block * K < end; block++) {
    if (!tree.canServe(0, block * K)) return false;
  }
  return true;
}

/**
 * Draw sentences and the places to ask about them from.
 *
 * @param distanceTokens - between a sentence and the place, at least: what is in the recent window needs no finding.
 * @returns at most `count`, in order of place.
 */
export function chooseClozePlaces(
  sentences: readonly Sentence[],
  { tokenCount, distanceTokens, count }: ClozeRules,
  rng: Rng,
): readonly ClozePlace[] {
  const far = sentences.filter(({ end }) => end + distanceTokens <= tokenCount);
  const chosen: ClozePlace[] = [];
  while (chosen.length < count && far.length > 0) {
    const [sentence] = far.splice(rng.nextInt(far.length), 1);
    const earliest = sentence!.end + distanceTokens;
    const cursor = earliest + rng.nextInt(tokenCount - earliest + 1);
    chosen.push({ cursor, question: clozeQuestion(sentence!.text, rng), sentence: sentence! });
  }
  return chosen.sort((a, b) => a.cursor - b.cursor);
}

interface ClozeRules {
  readonly tokenCount: number;
  readonly distanceTokens: number;
  readonly count: number;
}
