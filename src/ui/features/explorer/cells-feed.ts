/** Fetches the tree's cells around the visible window: one request at a time, the newest wish wins. */
import type { TreeCells } from '../../../runtime/engine/protocol/protocol.ts';
import type { EngineLink } from '../../model/engine-link.ts';
import type { TokenWindow } from '../../model/token-axis.ts';

/** The window and as much again on each side, so that a pan shows something at once. */
const MARGIN = 1;
const MAX_CELLS = 16_384;
const REFRESH_EVERY_MS = 400;

interface Wish {
  readonly window: TokenWindow;
  readonly width: number;
}

export class CellsFeed {
  #cells: TreeCells | null = null;
  #have: Wish | null = null;
  #wish: Wish | null = null;
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

  /** Ask for what this window needs, unless it is there. */
  want(window: TokenWindow, width: number): void {
    if (this.#have && covers(this.#have, { window, width })) return;
    this.#wish = { window, width };
    this.#ask();
  }

  /** The tree changed: ask again soon, at most every so often. */
  refresh(window: TokenWindow, width: number): void {
    this.#wish = { window, width };
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
    this.engine.send({ kind: 'treeCells', start, end, cells }).then(
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
function covers(have: Wish, wish: Wish): boolean {
  const span = have.window.end - have.window.start;
  const zoom = (wish.window.end - wish.window.start) / span;
  return (
    wish.width === have.width &&
    zoom > 0.75 &&
    zoom < 1.5 &&
    wish.window.start >= have.window.start - span * MARGIN &&
    wish.window.end <= have.window.end + span * MARGIN
  );
}
