/** Words of a text as keyword search compares them: Unicode-folded, small letters, light stemming. Pure. */

const WORD = /[\p{L}\p{N}]+/gu;

/** The text's words, folded and stemmed, in order. */
export function searchWords(text: string): string[] {
  return (fold(text).match(WORD) ?? []).map(stem);
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
