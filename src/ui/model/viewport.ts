/** What a view of a run shows of it: zoom, colour mode, selection. Renderers subscribe; React reads slices. */
import { createStore } from 'zustand';
import type { ReadableStore } from './readable-store.ts';
import type { RunSource } from './shown-run.ts';
import { type StepWindow, clampSteps, panSteps, revealStep, zoomSteps } from './step-axis.ts';
import {
  type TokenWindow,
  clampTokens,
  fitTokens,
  focusTokens,
  panTokens,
  zoomTokens,
} from './token-axis.ts';

/** A block of the history at one level of detail. */
export interface BlockRef {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
}

/** A generated token that is looked at: its frame is shown instead of the playhead's. */
interface Peek {
  readonly index: number;
  readonly tokenIndex: number;
  /** It stays after the pointer has left: it was clicked, tapped or reached by keyboard. */
  readonly held: boolean;
}

export interface ViewportState {
  readonly tokens: TokenWindow;
  /** The token window grows with the history until the user zooms or pans. */
  readonly autoTokens: boolean;
  readonly steps: StepWindow;
  /** The step window keeps the playhead in view until the user scrolls. */
  readonly autoSteps: boolean;
  readonly colourBy: 'lod' | 'score';
  readonly tableOpen: boolean;
  /** The tree explorer lies over the rows. */
  readonly explorerOpen: boolean;
  readonly selection: BlockRef | null;
  /** Whose working context is shown where a run has several heads. */
  readonly head: number;
  readonly peek: Peek | null;
}

export class Viewport {
  readonly #store = createStore<ViewportState>()(() => ({
    tokens: fitTokens(0),
    autoTokens: true,
    steps: { top: 0, rowHeight: 8 },
    autoSteps: true,
    colourBy: 'lod',
    tableOpen: false,
    explorerOpen: false,
    selection: null,
    head: 0,
    peek: null,
  }));
  readonly #source: RunSource;
  #matrixHeight = 400;
  #pointerToken: number | null = null;

  constructor(source: RunSource) {
    this.#source = source;
  }

  get store(): ReadableStore<ViewportState> {
    return this.#store;
  }

  get state(): ViewportState {
    return this.#store.getState();
  }

  set(changes: Partial<ViewportState>): void {
    this.#store.setState(changes);
  }

  /** The height of the matrix in pixels, told by whoever draws it. */
  tellMatrixHeight(height: number): void {
    this.#matrixHeight = height;
  }

  /** The token under the pointer, null while it is elsewhere: keys zoom there. */
  tellPointerToken(token: number | null): void {
    this.#pointerToken = token;
  }

  /** Zoom the token axis; factor > 1 shows more. */
  zoomTokens(factor: number, anchor = this.#pointerToken): void {
    const { tokens } = this.state;
    const at = anchor ?? (tokens.start + tokens.end) / 2;
    const zoomed = zoomTokens(tokens, factor, at, this.#cursor);
    const whole = fitTokens(this.#cursor);
    this.set({ tokens: zoomed, autoTokens: zoomed.end - zoomed.start >= whole.end });
  }

  /** Pan the token axis by a fraction of what is visible. */
  panTokens(fraction: number): void {
    const { tokens } = this.state;
    const by = (tokens.end - tokens.start) * fraction;
    this.set({ tokens: panTokens(tokens, by, this.#cursor), autoTokens: false });
  }

  /** Show these tokens, as far as the history has them. */
  showTokens(window: TokenWindow): void {
    this.set({ tokens: clampTokens(window, this.#cursor), autoTokens: false });
  }

  /** Show a span with some room on both sides. */
  showSpan({ start, end }: { readonly start: number; readonly end: number }): void {
    this.set({ tokens: focusTokens(start, end, this.#cursor), autoTokens: false });
  }

  /** The whole history, as it grows. */
  showAllTokens(): void {
    this.set({ tokens: fitTokens(this.#cursor), autoTokens: true });
  }

  /** Zoom the step axis about a pixel; factor > 1 makes rows higher. */
  zoomSteps(factor: number, anchorY = this.#matrixHeight / 2): void {
    const zoomed = zoomSteps(this.state.steps, factor, anchorY, this.#count, this.#matrixHeight);
    this.set({ steps: zoomed, autoSteps: false });
  }

  panSteps(pixels: number): void {
    const panned = panSteps(this.state.steps, pixels, this.#count, this.#matrixHeight);
    this.set({ steps: panned, autoSteps: false });
  }

  /** The rows in view, as frame indices; fractional. */
  visibleSteps(): readonly [from: number, to: number] {
    const { top, rowHeight } = this.state.steps;
    return [top, top + this.#matrixHeight / rowHeight];
  }

  /** Show these rows, as far as the run has them. */
  showSteps(from: number, to: number): void {
    const wanted = { top: from, rowHeight: this.#matrixHeight / (to - from) };
    this.set({ steps: clampSteps(wanted, this.#count, this.#matrixHeight), autoSteps: false });
  }

  /** Scroll a row into view, and keep the playhead there from now on. */
  revealStep(index: number): void {
    const steps = revealStep(this.state.steps, index, this.#count, this.#matrixHeight);
    this.set({ steps, autoSteps: true });
  }

  /** Everything in view: all tokens, all steps. */
  fitAll(): void {
    const steps = clampSteps({ top: 0, rowHeight: 0 }, this.#count, this.#matrixHeight);
    this.set({ tokens: fitTokens(this.#cursor), autoTokens: true, steps, autoSteps: false });
  }

  /** Let both windows follow the run again. */
  followRun(): void {
    this.set({ tokens: fitTokens(this.#cursor), autoTokens: true, autoSteps: true });
  }

  /** Zoom to the selection; again to fit everything. */
  focusSelection(): void {
    const { selection, tokens } = this.state;
    if (!selection) {
      this.fitAll();
      return;
    }
    const focused = focusTokens(selection.start, selection.end, this.#cursor);
    if (focused.start === tokens.start && focused.end === tokens.end) this.fitAll();
    else this.showTokens(focused);
  }

  /** Another run is shown: nothing of what was in view is there any more. */
  startOver(): void {
    this.set({ autoTokens: true, autoSteps: true, selection: null, peek: null });
  }

  get #cursor(): number {
    return this.#source.run.cursor;
  }

  get #count(): number {
    return this.#source.run.frameCount;
  }
}
