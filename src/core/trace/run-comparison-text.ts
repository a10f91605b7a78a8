/** Which words of two texts differ: a longest common subsequence over words. Pure. */

/** A piece of one text. */
export interface TextPiece {
  readonly text: string;
  readonly isShared: boolean;
}

/** More cells than this are not tabulated: what lies between common beginning and end then counts as different. */
const MAX_CELLS = 4_000_000;

/**
 * Both texts in pieces, each shared by both or its own. Joined, the pieces are the texts.
 *
 * Source: Wagner & Fischer (1974), on words with the space before them.
 */
export function compareTexts(
  a: string,
  b: string,
): { readonly a: readonly TextPiece[]; readonly b: readonly TextPiece[] } {
  const wordsA = wordsOf(a);
  const wordsB = wordsOf(b);
  const least = Math.min(wordsA.length, wordsB.length);
  let head = 0;
  while (head < least && wordsA[head] === wordsB[head]) head++;
  let tail = 0;
  while (tail < least - head && wordsA.at(-1 - tail) === wordsB.at(-1 - tail)) tail++;
  const shared = sharedWords(
    wordsA.slice(head, wordsA.length - tail),
    wordsB.slice(head, wordsB.length - tail),
  );
  const flags = (own: readonly boolean[]) => [...repeated(head), ...own, ...repeated(tail)];
  return { a: piecesOf(wordsA, flags(shared.a)), b: piecesOf(wordsB, flags(shared.b)) };
}

const repeated = (count: number) => Array.from({ length: count }, () => true);

function wordsOf(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** Which words belong to the longest common subsequence. */
function sharedWords(
  a: readonly string[],
  b: readonly string[],
): { readonly a: readonly boolean[]; readonly b: readonly boolean[] } {
  const inA = a.map(() => false);
  const inB = b.map(() => false);
  const width = b.length + 1;
  if (a.length * b.length > MAX_CELLS) return { a: inA, b: inB };
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) inA[i++] = inB[j++] = true;
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return { a: inA, b: inB };
}

function piecesOf(words: readonly string[], shared: readonly boolean[]): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  words.forEach((word, i) => {
    const isShared = shared[i] === true;
    const last = pieces.at(-1);
    if (last?.isShared === isShared) pieces[pieces.length - 1] = { text: last.text + word, isShared };
    else pieces.push({ text: word, isShared });
  });
  return pieces;
}
