/** The text of a recorded history and of what the question appended, by tokens. Pure. */
import { K } from '../tree/ids.ts';
import type { ReadQuestion, RecordedHistory } from './record.ts';

/** What stands in the tokens `start..end-1`, in whole pieces of at most 32 tokens. */
export type TextOf = (start: number, end: number) => string;

/**
 * @param history - null where the file has lost it: only the prompt is known then.
 * @returns for a span the text of every piece that it touches.
 */
export function historyText(
  history: RecordedHistory | null,
  { historyTokens, prompt }: Pick<ReadQuestion, 'historyTokens' | 'prompt'>,
): TextOf {
  const tokens = history?.tokens ?? historyTokens;
  const firstPrompt = Math.floor(tokens / K);
  return (start, end) => {
    let text = '';
    for (let block = Math.floor(start / K); block * K < end; block++) {
      if (block * K < tokens) text += history?.blocks[block] ?? '';
      if ((block + 1) * K > tokens && end > tokens) text += prompt[block - firstPrompt] ?? '';
    }
    return text;
  };
}

/** Text of tokens, cut at multiples of 32 of their place in the history. @param pieces - of one token each. */
export function cutAtBlocks(pieces: readonly string[], start: number): string[] {
  const blocks: string[] = [];
  for (const [i, piece] of pieces.entries()) {
    const block = Math.floor((start + i) / K) - Math.floor(start / K);
    blocks[block] = (blocks[block] ?? '') + piece;
  }
  return blocks;
}
