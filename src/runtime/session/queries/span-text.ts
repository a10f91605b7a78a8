/** Text of the history: a span of it, and where a text stands in it. */
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { ListedToken, TextHit, TextSearch } from '../messages/query-messages.ts';

/** The text of tokens `start..end-1`, cut to a number of characters. */
export function textOfSpan(
  tree: GistTree,
  tokenizer: Tokenizer,
  start: number,
  end: number,
  maxCharacters: number,
): { readonly text: string; readonly truncated: boolean } {
  const last = Math.min(end, tree.tokenCount);
  if (start >= last) return { text: '', truncated: false };
  // A token is one character or more, apart from the pieces of a split one.
  const until = Math.min(last, start + maxCharacters + 8);
  const text = tokenizer.decode(tree.tokens(start, until));
  const truncated = until < last || text.length > maxCharacters;
  return { text: text.slice(0, maxCharacters), truncated };
}

/** Listed at once at most. */
const LISTED_TOKENS = 2048;

/** Tokens `start..end-1` as far as there are any, one by one. */
export function tokensOfSpan(
  tree: GistTree,
  tokenizer: Tokenizer,
  start: number,
  end: number,
): readonly ListedToken[] {
  const last = Math.min(end, tree.tokenCount, start + LISTED_TOKENS);
  if (start >= last) return [];
  return Array.from(tree.tokens(start, last), (id) => ({ id, text: tokenizer.tokenText(id) }));
}

/** Tokens decoded at once while searching. */
const CHUNK_TOKENS = 2048;
/** A character takes at most four byte tokens. */
const TOKENS_PER_CHARACTER = 4;
const CONTEXT_CHARACTERS = 48;
/** What a regular expression would take for more than a character. */
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/**
 * Look a text up in the whole history, whatever its capitals. O(history); what is appended meanwhile counts too.
 *
 * @param limit - how many hits are located; all are counted.
 * @param pause - awaited between chunks; may throw to give up.
 */
export async function searchText(
  tree: GistTree,
  tokenizer: Tokenizer,
  query: string,
  limit: number,
  pause: () => Promise<void>,
): Promise<TextSearch> {
  const pattern = new RegExp(query.replaceAll(SYNTAX, String.raw`\$&`), 'giu');
  const overlap = query.length * TOKENS_PER_CHARACTER + CONTEXT_CHARACTERS;
  const hits: TextHit[] = [];
  let total = 0;
  for (let from = 0; from < tree.tokenCount; from += CHUNK_TOKENS) {
    if (from > 0) await pause();
    const ids = tree.tokens(from, Math.min(from + CHUNK_TOKENS + overlap, tree.tokenCount));
    const text = tokenizer.decode(ids);
    // A match belongs to the chunk that it begins in.
    const ownCharacters =
      ids.length <= CHUNK_TOKENS ? text.length : tokenizer.decode(ids.subarray(0, CHUNK_TOKENS)).length;
    for (const { index, 0: match } of text.matchAll(pattern)) {
      if (index >= ownCharacters) break;
      total++;
      if (hits.length >= limit) continue;
      const first = tokenAtCharacter(ids, index, tokenizer);
      const last = tokenAtCharacter(ids, index + match.length - 1, tokenizer);
      const end = index + match.length;
      hits.push({
        start: from + first,
        end: from + last + 1,
        before: text.slice(Math.max(0, index - CONTEXT_CHARACTERS), index),
        match,
        after: text.slice(end, end + CONTEXT_CHARACTERS),
      });
    }
  }
  return { hits, total };
}

/** Index of the token that spells a character of the decoded text. O(n log n) in the tokens given. */
function tokenAtCharacter(ids: Uint32Array, character: number, tokenizer: Tokenizer): number {
  let low = 0;
  let high = ids.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tokenizer.decode(ids.subarray(0, middle + 1)).length > character) high = middle;
    else low = middle + 1;
  }
  return low;
}
