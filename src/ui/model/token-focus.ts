/** Which blocks stood in focus when a generated token was predicted; and the token that is looked at now. */
import { ATTENTION_PARTS } from '../../core/trace/attention-record.ts';
import { type AttentionReading } from '../../core/trace/parameters.ts';
import { usePlayback } from './playback-store.ts';
import { type BlockRef, useView } from './view-store.ts';
import { currentRun } from './current-run.ts';
import type { RunTrace } from './run-trace.ts';

export interface FocusedBlock extends BlockRef {
  /** Of all that the token attended to; null where attention was not recorded. */
  readonly share: number | null;
}

export interface TokenFocus {
  readonly position: number;
  readonly text: string;
  /** The refocus step whose working context it was predicted from. */
  readonly step: number;
  readonly index: number;
  /** In the order of the history: what it attended to, or, where that is unknown, what stood raw. */
  readonly blocks: readonly FocusedBlock[];
  /** Which heads were read; null where attention was not recorded. */
  readonly reading: AttentionReading | null;
  /** The share of all blocks that are too small to be listed. */
  readonly rest: number;
}

/** Null where the trace lacks the token or its step. */
export function tokenFocus(
  trace: Pick<RunTrace, 'decodedAt' | 'indexOfStep' | 'layoutAt'>,
  position: number,
): TokenFocus | null {
  const token = trace.decodedAt(position);
  const index = token ? trace.indexOfStep(token.step) : -1;
  if (!token || index < 0) return null;
  const { text, step, attention } = token;
  const known = { position, text, step, index, reading: attention?.reading ?? null };
  if (attention) {
    const blocks = attention.blocks.map(([lod, start, end, parts]) => {
      return { lod, start, end, share: parts / ATTENTION_PARTS };
    });
    return { ...known, blocks, rest: attention.rest / ATTENTION_PARTS };
  }
  const layout = trace.layoutAt(index);
  const raw = layout.filter(([lod]) => lod === 0);
  const blocks = raw.map(([lod, start, end]): FocusedBlock => ({ lod, start, end, share: null }));
  // Tokens that came after the step stand raw behind it.
  const end = layout.at(-1)?.[2] ?? position;
  if (end < position) blocks.push({ lod: 0, start: end, end: position, share: null });
  return { ...known, blocks, rest: 0 };
}

/** The token that is looked at, if the shown run has it. */
export function peekedFocus(): TokenFocus | null {
  const { peek } = useView.getState();
  return peek && tokenFocus(currentRun, peek.position);
}

/** Look at a generated token: the page shows its step until it is let go. `held` outlasts the pointer. */
export function peekAtToken(position: number, held: boolean): void {
  const focus = tokenFocus(currentRun, position);
  useView.setState({ peek: focus && { index: focus.index, position, held } });
}

export function endPeek(): void {
  if (useView.getState().peek) useView.setState({ peek: null });
}

// Whoever moves the playhead wants to see where it goes.
usePlayback.subscribe((now, before) => {
  if (now.index !== before.index && !now.following) endPeek();
});
