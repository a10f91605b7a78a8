/** What an answer's text must hold, and whether it does. Knows no tokens and no reference beyond the values. Pure. */

/**
 * What counts as an answer.
 *
 * `in-order`: every value, each after the one before. `set`: every value, in any order. `text`: any one of several
 * wordings of one free answer. `refusal`: the history does not say, and the answer has to say so.
 */
export type ExpectedAnswer =
  | { readonly kind: 'in-order' | 'set' | 'text'; readonly values: readonly string[] }
  | { readonly kind: 'refusal' };

export interface Verdict {
  readonly isAnswered: boolean;
  /** Says that the history does not say. */
  readonly isRefused: boolean;
  /** For `text` alone: the best over the wordings, 0..1. */
  readonly f1: number | null;
  readonly isExact: boolean | null;
}

/** "The text does not say" and its like. */
const REFUSAL =
  /\b(?:do(?:es)? not|did not|doesn['’]t|don['’]t|never|nowhere) (?:say|state|mention|tell|know)s?\b|\bnot (?:stated|mentioned|known|said|given)\b|\bno (?:answer|information|mention)\b|\bunanswerable\b|\bunknown\b/iu;

/** @param text - as decoded. */
export function judgeAnswer(expected: ExpectedAnswer, text: string): Verdict {
  const isRefused = REFUSAL.test(text);
  if (expected.kind === 'refusal') return { isAnswered: isRefused, isRefused, f1: null, isExact: null };
  const { kind, values } = expected;
  if (kind === 'text') {
    const f1 = Math.max(0, ...values.map((value) => f1Of(text, value)));
    const isExact = values.some((value) => normalised(value) === normalised(text));
    return { isAnswered: isExact, isRefused, f1, isExact };
  }
  const words = wordsOf(text);
  let from = 0;
  const isAnswered = values.every((value) => {
    const wanted = wordsOf(value);
    const at = indexOfRun(words, wanted, from);
    if (at < 0 || wanted.length === 0) return false;
    if (kind === 'in-order') from = at + wanted.length;
    return true;
  });
  return { isAnswered, isRefused, f1: null, isExact: null };
}

/** Words and numbers, compatibility-folded, in small letters. */
function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  );
}

function indexOfRun(words: readonly string[], run: readonly string[], from: number): number {
  for (let at = from; at + run.length <= words.length; at++) {
    if (run.every((word, i) => words[at + i] === word)) return at;
  }
  return -1;
}

/** SQuAD's normalisation (Rajpurkar et al. 2016): small letters, no punctuation, no articles, single spaces. */
function normalised(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/\b(?:a|an|the)\b/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ');
}

/** SQuAD's F1: harmonic mean of precision and recall over the words that both share. */
function f1Of(text: string, value: string): number {
  const said = normalised(text).split(' ').filter(Boolean);
  const wanted = normalised(value).split(' ').filter(Boolean);
  if (said.length === 0 || wanted.length === 0) return said.length === wanted.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of said) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  return (2 * common) / (said.length + wanted.length);
}
