/** How often focus is renewed while an answer is decoded, and how much it may move: the rule behind `answerFocusShare`. Pure. */
import { K } from '../tree/ids.ts';

/** The rarest refocus, in tokens; what does not pay by then waits for the end of a turn. */
const LONGEST_TOKENS = K * K;

/** What decoding and focus take, all in one unit. */
export interface AnswerWork {
  /** Decoding a token. */
  readonly token: number;
  /** Looking at the working contexts, whatever moves. */
  readonly refocus: number;
  /** Opening a block. */
  readonly opening: number;
  /** Closing a block, which makes room for K tokens of the answer. */
  readonly closing: number;
  /** Tokens that fit before one has to be closed. */
  readonly freeTokens: number;
}

export interface AnswerPace {
  /** Tokens from one refocus to the next: K times a power of two, or Infinity where none is paid for. */
  readonly everyTokens: number;
  /** Moves that the scores may ask for in each. */
  readonly maxActions: number;
}

/**
 * @param sharePercent - of decoding that focus may take; 0 sets no limit.
 * @param maxActions - of any refocus.
 */
export function answerPace(sharePercent: number, maxActions: number, work: AnswerWork): AnswerPace {
  if (sharePercent === 0) return { everyTokens: K, maxActions };
  const { token, refocus, opening, closing, freeTokens } = work;
  for (let everyTokens = K; everyTokens <= LONGEST_TOKENS; everyTokens *= 2) {
    const closed = Math.ceil(Math.max(0, everyTokens - freeTokens) / K);
    const left = (sharePercent / 100) * everyTokens * token - refocus - closed * closing;
    const paidFor = Math.floor(left / opening);
    if (paidFor >= Math.min(1, maxActions)) return { everyTokens, maxActions: Math.min(maxActions, paidFor) };
  }
  return { everyTokens: Infinity, maxActions: 0 };
}

/** Of several working contexts together. */
export function totalWork(works: readonly AnswerWork[]): AnswerWork {
  const sum = (of: keyof AnswerWork): number => works.reduce((total, work) => total + work[of], 0);
  const freeTokens = Math.min(...works.map((work) => work.freeTokens));
  const [token, refocus, opening, closing] = [sum('token'), sum('refocus'), sum('opening'), sum('closing')];
  return { token, refocus, opening, closing, freeTokens };
}
