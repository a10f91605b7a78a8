/** Which blocks stood in focus when a generated token was predicted. Pure over a run. */
import { ATTENTION_PARTS } from '../../core/trace/attention-record.ts';
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import type { BlockRef } from './viewport.ts';
import type { Run } from './run.ts';

export interface FocusedBlock extends BlockRef {
  /** Of all that the token attended to; null where attention was not recorded. */
  readonly share: number | null;
}

export interface TokenFocus {
  readonly tokenIndex: number;
  readonly text: string;
  /** The refocus step whose working context it was predicted from. */
  readonly step: number;
  readonly index: number;
  /** The head whose context these blocks are; of several that were merged, the one that counted most. */
  readonly head: number;
  /** The heads that were merged for it and their weights, the heaviest first; empty where one alone was read. */
  readonly merged: readonly (readonly [head: number, weight: number])[];
  /** In the order of the history: what it attended to, or, where that is unknown, what stood raw. */
  readonly blocks: readonly FocusedBlock[];
  /** Which heads were read; null where attention was not recorded. */
  readonly reading: AttentionReading | null;
  /** The share of all blocks that are too small to be listed. */
  readonly rest: number;
}

/** Null where the trace lacks the token or its step. */
export function tokenFocus(
  trace: Pick<Run, 'decodedAt' | 'indexOfStep' | 'layoutAt' | 'ofHead'>,
  tokenIndex: number,
): TokenFocus | null {
  const token = trace.decodedAt(tokenIndex);
  const index = token ? trace.indexOfStep(token.step) : -1;
  if (!token || index < 0) return null;
  const { text, step, attention, head } = token;
  const merged = (token.merged ?? []).toSorted((a, b) => b[1] - a[1]);
  const known = { tokenIndex, text, step, index, head, merged, reading: attention?.reading ?? null };
  if (attention) {
    const blocks = attention.blocks.map(([lod, start, end, parts]) => {
      return { lod, start, end, share: parts / ATTENTION_PARTS };
    });
    return { ...known, blocks, rest: attention.rest / ATTENTION_PARTS };
  }
  const layout = (trace.ofHead(head) ?? trace).layoutAt(index);
  const raw = layout.filter(([lod]) => lod === 0);
  const blocks = raw.map(([lod, start, end]): FocusedBlock => ({ lod, start, end, share: null }));
  // Tokens that came after the step stand raw behind it.
  const end = layout.at(-1)?.[2] ?? tokenIndex;
  if (end < tokenIndex) blocks.push({ lod: 0, start: end, end: tokenIndex, share: null });
  return { ...known, blocks, rest: 0 };
}
