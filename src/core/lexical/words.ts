/** Words of a text as keyword search compares them: Unicode-folded, small letters, light stemming. Pure. */

const WORD = /[\p{L}\p{N}]+/gu;

/** The text's words, folded and stemmed, in order. */
export function searchWords(text: string): string[] {
  return (fold(text).match(WORD) ?? []).map(stem);
}

/**
 * How a query's words are compared with a history's: by their stems; by how they begin, grammar left out; or `wide`, as
 * `beginnings`, but ranked by their stems over windows of several widths.
 */
export const WORD_MATCHES = ['stems', 'beginnings', 'wide'] as const;
export type WordMatch = (typeof WORD_MATCHES)[number];

/** Words that begin with the same letters, so many of them, count as one under `beginnings`. */
export const BEGINNING_LETTERS = 5;
/** Words of questions that are grammar and name nothing, by their stems. */
export const FUNCTION_WORDS: readonly string[] =
  'the a an of in to is was were are on at by for with and or what which who when where how many much did do does that this it as from be has have had why whom whose'
    .split(' ')
    .map((word) => stem(word));
const GRAMMAR = new Set(FUNCTION_WORDS);

/** What is searched for, each once: stems, or the first letters of those that are no grammar. */
export function searchTerms(text: string, match: WordMatch): ReadonlySet<string> {
  const words = searchWords(text);
  if (match === 'stems') return new Set(words);
  return new Set(words.filter((word) => !GRAMMAR.has(word)).map((word) => word.slice(0, BEGINNING_LETTERS)));
}

/** A chat's control tokens, and the role that one names; or what a plain question begins with. */
const MARKUP = /^\s*Question:|<\|[^|<>]{1,32}\|>(?:(?:user|assistant|system)\b)?/g;

/** A query's text without the chat's markup around it: those words are no one's. */
export function withoutMarkup(text: string): string {
  return text.replace(MARKUP, ' ');
}

/** Compatibility forms and accents removed (NFKD without combining marks), small letters. */
export function fold(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}

/** Harman's S stemmer (1991, "How effective is suffixing?"): plurals alone, so that no two nouns become one. */
export function stem(word: string): string {
  if (word.length <= 3 || !word.endsWith('s')) return word;
  if (word.endsWith('ies')) return /[ae]ies$/.test(word) ? word : `${word.slice(0, -3)}y`;
  if (word.endsWith('es')) return /[aeo]es$/.test(word) ? word : word.slice(0, -1);
  return /[us]s$/.test(word) ? word : word.slice(0, -1);
}
