/** One look at a run: which run, where the playhead stands, what is in view. Made as often as runs are looked at. */
import { STAGING_HEAD } from '../../core/heads/head-specs.ts';
import type { LayoutEntry } from '../../core/trace/telemetry.ts';
import { entryAtToken } from './entry-search.ts';
import type { Playhead } from './playhead.ts';
import type { RunFrames, RunSource } from './shown-run.ts';
import { type TokenFocus, tokenFocus } from './token-focus.ts';
import type { Tracks } from './tracks.ts';
import type { BlockRef, Viewport } from './viewport.ts';

/** The text of a span, as far as its run keeps one. @throws what asking for it throws. */
export type ReadSpan = (
  start: number,
  end: number,
  maxCharacters: number,
) => Promise<{ readonly text: string; readonly truncated: boolean }>;

/** How a run differs from another one that stands beside it on the same playhead. */
export interface RunDifference {
  /** Do the working contexts differ at a place? */
  readonly isAt: (index: number) => boolean;
  /** Does the other run hold no such entry at the shown place? */
  readonly hasAlone: (entry: LayoutEntry) => boolean;
  /** What the strips' whole width stands for, so that a smaller budget is a shorter strip. */
  readonly slots: () => number;
}

interface RunViewOptions {
  /** The columns beside the matrix. */
  readonly tracks: Tracks;
  readonly readSpan: ReadSpan;
  readonly difference?: RunDifference;
  /** A block was selected by hand. */
  readonly onSelect?: () => void;
}

/** The head that queries are about; of the staging context nobody can ask, so that they go to the first. */
export function queriedHead({ head }: Pick<RunView, 'head'>): number {
  return head === STAGING_HEAD ? 0 : head;
}

export class RunView {
  readonly tracks: Tracks;
  readonly readSpan: ReadSpan;
  /** Null where no other run stands beside it. */
  readonly difference: RunDifference | null;
  readonly #onSelect: () => void;

  /** Several views may share a playhead, and a viewport where their runs have the same places. */
  constructor(
    readonly source: RunSource,
    readonly playhead: Playhead,
    readonly viewport: Viewport,
    { tracks, readSpan, difference, onSelect = () => undefined }: RunViewOptions,
  ) {
    this.tracks = tracks;
    this.readSpan = readSpan;
    this.difference = difference ?? null;
    this.#onSelect = onSelect;
    // Whoever moves the playhead wants to see where it goes.
    playhead.store.subscribe((now, before) => {
      if (now.index !== before.index && !now.following) this.endPeek();
    });
  }

  /** The frames of the shown head; of the first one where the run has no other. */
  get run(): RunFrames {
    const { run } = this.source;
    return run.ofHead(this.viewport.state.head) ?? run;
  }

  /** Show another head's working context. */
  showHead(head: number): void {
    this.viewport.set({ head, selection: null });
  }

  /** The head whose frames are shown: the first one where the run has no other. */
  get head(): number {
    const { head } = this.viewport.state;
    return this.source.run.ofHead(head) ? head : 0;
  }

  /** Show one of these heads: the shown one where it is among them, else the first named. */
  showOneOf(heads: readonly number[]): void {
    if (!heads.includes(this.head)) this.showHead(heads[0] ?? 0);
  }

  /** The playhead's frame, or the one peeked at. */
  get shownIndex(): number {
    return this.viewport.state.peek?.index ?? this.playhead.state.index;
  }

  /** Told when anything that is shown changed. */
  subscribe(listener: () => void): () => void {
    const stops = [
      this.playhead.store.subscribe(listener),
      this.viewport.store.subscribe(listener),
      this.source.subscribe(listener),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Move the playhead and keep it in view. */
  seekTo(index: number): void {
    this.playhead.seek(index);
    this.viewport.revealStep(this.playhead.state.index);
  }

  seekBy(frames: number): void {
    this.seekTo(this.playhead.state.index + frames);
  }

  /** The nearest frame with an applied action in a direction. */
  seekAction(direction: 1 | -1): void {
    const found = this.run.nextAction(this.playhead.state.index, direction);
    if (found !== null) this.seekTo(found);
  }

  followNewest(): void {
    this.playhead.followNewest();
    this.viewport.set({ autoSteps: true });
  }

  select(block: BlockRef | null): void {
    this.viewport.set({ selection: block });
    if (block) this.#onSelect();
  }

  /** Select the neighbour of the selected block in the playhead's layout, or the last block. */
  selectNeighbour(direction: 1 | -1): void {
    const layout = this.run.layoutAt(this.playhead.state.index);
    const { selection } = this.viewport.state;
    const at = selection ? entryAtToken(layout, selection.start) + direction : layout.length - 1;
    const entry = layout[Math.min(Math.max(at, 0), layout.length - 1)];
    if (entry) this.select({ lod: entry[0], start: entry[1], end: entry[2] });
  }

  /** The token that is looked at, if the run has it. */
  peekedFocus(): TokenFocus | null {
    const { peek } = this.viewport.state;
    return peek && tokenFocus(this.run, peek.tokenIndex);
  }

  /** Look at a generated token: its step is shown until it is let go. `held` outlasts the pointer. */
  peekAtToken(tokenIndex: number, held: boolean): void {
    const focus = tokenFocus(this.run, tokenIndex);
    this.viewport.set({ peek: focus && { index: focus.index, tokenIndex, held } });
  }

  endPeek(): void {
    if (this.viewport.state.peek) this.viewport.set({ peek: null });
  }
}
