/** Fetches the tree's cells around the visible window: one request at a time, the newest wish wins. */
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { NodeFilter } from '../../../core/tree/query/node-filter.ts';
import type { TreeCells } from '../../../runtime/engine/protocol/protocol.ts';
import type { EngineLink } from '../../model/engine-link.ts';
import type { TokenWindow } from '../../model/token-axis.ts';

/** The window and as much again on each side, so that a pan shows something at once. */
const MARGIN = 1;
const MAX_CELLS = 16_384;
const REFRESH_EVERY_MS = 400;

export interface CellsWish {
  readonly window: TokenWindow;
  readonly width: number;
  readonly measure: NodeMeasure;
  readonly filter: NodeFilter | undefined;
}

export class CellsFeed {
  #cells: TreeCells | null = null;
  #have: CellsWish | null = null;
  #wish: CellsWish | null = null;
  #busy = false;
  #askedAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly engine: EngineLink,
    private readonly onCells: () => void,
    private readonly onFailure: (message: string) => void,
  ) {}

  get cells(): TreeCells | null {
    return this.#cells;
  }

  /** Ask for what this needs, unless it is there. */
  want(wish: CellsWish): void {
    if (this.#have && covers(this.#have, wish)) return;
    this.#wish = wish;
    this.#ask();
  }

  /** The tree changed: ask again soon, at most every so often. */
  refresh(wish: CellsWish): void {
    this.#wish = wish;
    const wait = REFRESH_EVERY_MS - (performance.now() - this.#askedAtMs);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#ask();
      },
      Math.max(0, wait),
    );
  }

  /** Forget what belongs to another session. */
  clear(): void {
    this.#cells = null;
    this.#have = null;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #ask(): void {
    const wish = this.#wish;
    if (!wish || this.#busy || this.#stopped) return;
    this.#wish = null;
    this.#busy = true;
    this.#askedAtMs = performance.now();
    const span = wish.window.end - wish.window.start;
    const start = Math.max(0, Math.floor(wish.window.start - span * MARGIN));
    const end = Math.ceil(wish.window.end + span * MARGIN);
    const cells = Math.min(MAX_CELLS, Math.max(1, Math.round(wish.width * (1 + 2 * MARGIN))));
    const { measure, filter } = wish;
    this.engine.send({ kind: 'treeCells', start, end, cells, measure, filter }).then(
      (answer) => {
        this.#cells = answer;
        this.#have = wish;
        this.#settle();
      },
      (error: unknown) => {
        this.onFailure(error instanceof Error ? error.message : String(error));
        this.#settle();
      },
    );
  }

  #settle(): void {
    this.#busy = false;
    if (this.#stopped) return;
    this.onCells();
    this.#ask();
  }
}

/** True if what was fetched for `have` still shows `wish` with all its nodes. */
function covers(have: CellsWish, wish: CellsWish): boolean {
  const span = have.window.end - have.window.start;
  const zoom = (wish.window.end - wish.window.start) / span;
  return (
    wish.width === have.width &&
    wish.measure === have.measure &&
    wish.filter === have.filter &&
    zoom > 0.75 &&
    zoom < 1.5 &&
    wish.window.start >= have.window.start - span * MARGIN &&
    wish.window.end <= have.window.end + span * MARGIN
  );
}
