/** Draws the explorer when something changed, at most once per animation frame. Owns its canvas and its cells. */
import { foundSpans } from './explorer-state.ts';
import type { Explorer } from './explorer.ts';
import type { BlockRef } from '../../model/viewport.ts';
import type { TokenWindow } from '../../model/token-axis.ts';
import { CanvasLayer } from '../../widgets/canvas-layer.ts';
import { type Palette, readPalette, watchTheme } from '../../view/palette.ts';
import { CellsFeed, type CellsWish } from './cells-feed.ts';
import { drawIcicle } from './draw-icicle.ts';
import { type IcicleRow, icicleRows, nodeAtPoint } from './icicle.ts';
import type { TreeShape } from './tree-walk.ts';

export class ExplorerRenderer {
  readonly #layer: CanvasLayer;
  readonly #feed: CellsFeed;
  readonly #stops: (() => void)[] = [];
  readonly #onRows: (rows: readonly IcicleRow[]) => void;
  #palette: Palette;
  #pending = 0;
  #rows: readonly IcicleRow[] = [];
  /** Its element may have another size: asked of the document only then, for asking makes it lay itself out. */
  #resized = true;

  /** @param onRows - told when levels appear or move, for the labels beside them. */
  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly explorer: Explorer,
    onRows: (rows: readonly IcicleRow[]) => void,
    onFailure: (message: string) => void,
  ) {
    const { engine, mirror, view } = explorer.model;
    this.#layer = new CanvasLayer(canvas);
    this.#palette = readPalette(canvas);
    this.#onRows = onRows;
    this.#feed = new CellsFeed(
      engine,
      () => {
        this.#schedule();
      },
      onFailure,
    );
    const redraw = () => {
      this.#schedule();
    };
    const resize = new ResizeObserver(() => {
      this.#resized = true;
      redraw();
    });
    resize.observe(canvas);
    this.#stops.push(
      watchTheme(() => {
        this.#palette = readPalette(canvas);
        redraw();
      }),
      view.playhead.store.subscribe(redraw),
      view.viewport.store.subscribe(redraw),
      explorer.store.subscribe(redraw),
      explorer.nodes.store.subscribe(redraw),
      mirror.subscribe((now, before) => {
        if (now.session?.record.id !== before.session?.record.id) this.#feed.clear();
        if (now.session !== before.session) {
          this.refresh();
          redraw();
        }
      }),
      () => {
        resize.disconnect();
        this.#feed.stop();
      },
    );
    redraw();
  }

  /** Metadata changed without a new state of the session, as by a measurement. */
  refresh(): void {
    this.#feed.refresh(this.#wish(this.explorer.model.view.viewport.state.tokens, this.#layer.width));
  }

  /** The node under a point of the page. */
  nodeAt(clientX: number, clientY: number, shape: TreeShape): BlockRef | null {
    const box = this.canvas.getBoundingClientRect();
    const { tokens } = this.explorer.model.view.viewport.state;
    return nodeAtPoint(clientX - box.left, clientY - box.top, this.#rows, shape, tokens, this.#layer.width);
  }

  dispose(): void {
    cancelAnimationFrame(this.#pending);
    for (const stop of this.#stops) stop();
  }

  #wish(window: TokenWindow, width: number): CellsWish {
    const { nodes, state } = this.explorer;
    return { window, width, measure: state.heat, filter: nodes.shownFilter };
  }

  #schedule(): void {
    this.#pending ||= requestAnimationFrame(() => {
      this.#pending = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const layer = this.#layer;
    if (this.#resized || layer.ratio !== globalThis.devicePixelRatio) layer.fit();
    this.#resized = false;
    const { width, height } = layer;
    if (width === 0 || height === 0) return;
    const { tokens, selection } = this.explorer.model.view.viewport.state;
    this.#feed.want(this.#wish(tokens, width));
    layer.clear();
    const { cells } = this.#feed;
    if (!cells) return;
    this.#layOut(cells, height);
    const { found } = this.explorer.state;
    const { mirror, view } = this.explorer.model;
    const { run, shownIndex } = view;
    drawIcicle(layer.context, {
      cells,
      rows: this.#rows,
      window: tokens,
      width,
      entries: shownIndex < 0 ? [] : run.layoutAt(shownIndex),
      marks: mirror.getState().session?.marks ?? [],
      hits: foundSpans(found),
      selection,
      palette: this.#palette,
    });
  }

  #layOut(shape: TreeShape, height: number): void {
    const rows = icicleRows(shape, height);
    const isSame =
      rows.length === this.#rows.length && rows.every((row, i) => row.height === this.#rows[i]!.height);
    if (isSame) return;
    this.#rows = rows;
    this.#onRows(rows);
  }
}
