/**
 * Draws the timeline when something changed, at most once per animation frame. Owns the canvases and the
 * D3 axes; computes nothing that the pure geometry files could.
 */
import { select } from 'd3';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { Frame } from '../../model/frame.ts';
import type { RunView } from '../../model/run-view.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { MinimapBrush, drawStepAxis, drawTokenAxis } from './axes.ts';
import { CanvasLayer } from '../../widgets/canvas-layer.ts';
import { drawMatrixBoxes, drawMatrixGlyphs } from './draw-matrix.ts';
import { type MinimapScene, drawMinimap } from './draw-minimap.ts';
import { drawOverlay } from './draw-overlay.ts';
import { drawSharesOnMinimap, drawSharesOnStrip, drawSharesOverRow } from './draw-shares.ts';
import { type StripScene, drawStrip } from './draw-strip.ts';
import { drawTrackBoxes, drawTrackMarks } from './draw-tracks.ts';
import { followView } from './follow-view.ts';
import { type TimelineLayout, layoutTimeline } from './frame-layout.ts';
import { type Palette, readPalette, watchTheme } from '../../view/palette.ts';
import { RowCache } from './row-cache.ts';
import { RangeBrush } from './range-brush.ts';
import { RowRaster, createPixelReader } from './row-raster.ts';
import { type Row, scrollRows, visibleRows } from '../../model/step-axis.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import type { Track, TracksState } from '../../model/tracks.ts';
import { StripMorph } from './strip-morph.ts';
import type { TokenWindow } from '../../model/token-axis.ts';

interface TimelineElements {
  readonly root: HTMLElement;
  readonly minimap: HTMLCanvasElement;
  readonly brush: SVGSVGElement;
  readonly strip: HTMLCanvasElement;
  readonly tokenAxis: SVGSVGElement;
  readonly matrix: HTMLCanvasElement;
  readonly overlay: HTMLCanvasElement;
  readonly stepAxis: SVGSVGElement;
  readonly range: SVGSVGElement;
}

export const STRIP_HEIGHT = 40;
/** Of the outline around an entry that the other run does not hold. */
const DIFFERENCE_STRENGTH = 0.8;
/** Of the outline around an entry that holds the answer. */
const GOLD_STRENGTH = 0.9;
const MARK_WIDTH = 4;

const ALL_DIRTY = { matrix: true, tracks: true, strip: true, overlay: true, minimap: true };
const CLEAN = { matrix: false, tracks: false, strip: false, overlay: false, minimap: false };
type Part = keyof typeof ALL_DIRTY;

interface DrawnRows {
  readonly rows: readonly Row[];
  readonly tokens: TokenWindow;
  readonly colourBy: 'lod' | 'score';
  readonly layout: TimelineLayout;
  readonly palette: Palette;
  readonly run: RunFrames;
  readonly firstFrame: Frame | undefined;
  readonly ratio: number;
}

export class TimelineRenderer {
  readonly #layers: Record<'minimap' | 'strip' | 'matrix' | 'overlay', CanvasLayer>;
  readonly #brush: MinimapBrush;
  readonly #rangeBrush: RangeBrush;
  readonly #morph: StripMorph;
  readonly #raster = new RowRaster(createPixelReader());
  readonly #stops: (() => void)[] = [];
  #palette: Palette;
  #layout: TimelineLayout;
  #pending = 0;
  #dirty = { ...ALL_DIRTY };
  /** An element may have another size: asked of the document only then, for asking makes it lay itself out. */
  #resized = true;
  /** What the raster holds: rows that only move are not drawn again. */
  #drawn: DrawnRows | null = null;
  #tokenAxis: { readonly window: TokenWindow; readonly layout: TimelineLayout } | null = null;
  #hover: { index: number; block: BlockRef } | null = null;
  /** The first frame of the run drawn last: another one means another run. */
  #firstFrame: Frame | undefined;
  #arranged: TracksState | null = null;
  /** Tracks that the run has figures of. */
  #suited: readonly Track[] = [];
  readonly #cache = new RowCache();
  readonly #onLayout: (layout: TimelineLayout) => void;

  constructor(
    readonly elements: TimelineElements,
    readonly view: RunView,
    onLayout: (layout: TimelineLayout) => void,
  ) {
    const { source, playhead, viewport, tracks } = view;
    this.#suited = tracks.suited(source.run);
    this.#layout = layoutTimeline(800, 400, { registered: this.#suited, state: tracks.state });
    this.#layers = {
      minimap: new CanvasLayer(elements.minimap),
      strip: new CanvasLayer(elements.strip),
      matrix: new CanvasLayer(elements.matrix, { willReadFrequently: true }),
      overlay: new CanvasLayer(elements.overlay),
    };
    this.#onLayout = onLayout;
    this.#palette = readPalette(elements.root);
    this.#morph = new StripMorph(elements.strip, () => {
      this.#invalidate('strip');
    });
    this.#brush = new MinimapBrush(elements.brush, (window) => {
      viewport.showTokens(window);
    });
    this.#rangeBrush = new RangeBrush(elements.range, (range) => {
      if (range) playhead.markRange(range.first, range.last);
      else playhead.clearRange();
    });
    const everything = () => {
      this.invalidateAll();
    };
    const resize = new ResizeObserver(() => {
      this.#resized = true;
      everything();
    });
    for (const element of [elements.minimap, elements.strip, elements.matrix]) resize.observe(element);
    this.#stops.push(
      watchTheme(() => {
        this.#palette = readPalette(elements.root);
        everything();
      }),
      playhead.store.subscribe(() => {
        this.#invalidate('strip', 'overlay', 'minimap');
      }),
      viewport.store.subscribe((now, before) => {
        if (now.head !== before.head) everything();
        if (now.steps !== before.steps) this.#invalidate('matrix', 'tracks', 'overlay');
        if (now.tokens !== before.tokens || now.colourBy !== before.colourBy) this.#invalidate('matrix');
        this.#invalidate('strip', 'overlay', 'minimap');
      }),
      source.subscribe(everything),
      tracks.store.subscribe(everything),
      () => {
        resize.disconnect();
      },
    );
    everything();
  }

  get #run(): RunFrames {
    return this.view.run;
  }

  get layout(): TimelineLayout {
    return this.#layout;
  }

  /** The layout that the strip and the minimap show. */
  shownLayout(): readonly LayoutEntry[] {
    const { run, shownIndex } = this.view;
    return shownIndex < 0 ? [] : run.layoutAt(shownIndex);
  }

  get stripIntervals(): StripMorph['intervals'] {
    return this.#morph.intervals;
  }

  setHover(hover: { index: number; block: BlockRef } | null): void {
    this.#hover = hover;
    this.#invalidate('overlay', 'strip');
  }

  invalidateAll(): void {
    this.#dirty = { ...ALL_DIRTY };
    this.#schedule();
  }

  dispose(): void {
    cancelAnimationFrame(this.#pending);
    this.#morph.dispose();
    for (const stop of this.#stops) stop();
  }

  #invalidate(...parts: readonly Part[]): void {
    for (const part of parts) this.#dirty[part] = true;
    this.#schedule();
  }

  #schedule(): void {
    this.#pending ||= requestAnimationFrame(() => {
      this.#pending = 0;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#resized || this.#layers.matrix.ratio !== globalThis.devicePixelRatio) {
      this.#resized = false;
      for (const layer of Object.values(this.#layers)) {
        if (layer.fit()) this.#dirty = { ...ALL_DIRTY };
      }
    }
    const { matrix } = this.#layers;
    if (matrix.width === 0 || matrix.height === 0) return;
    const arranged = this.view.tracks.state;
    const suited = this.view.tracks.suited(this.#run);
    const { width, height } = this.#layout;
    if (
      matrix.width !== width ||
      matrix.height !== height ||
      arranged !== this.#arranged ||
      !isSame(suited, this.#suited)
    ) {
      this.#arranged = arranged;
      this.#suited = suited;
      this.#layout = layoutTimeline(matrix.width, matrix.height, { registered: suited, state: arranged });
      this.view.viewport.tellMatrixHeight(matrix.height);
      this.#onLayout(this.#layout);
    }
    this.#followWindows();
    const dirty = this.#dirty;
    // The explorer lies over the rows: they stay dirty until it closes.
    const isCovered = this.view.viewport.state.explorerOpen;
    this.#dirty = { ...CLEAN, ...(isCovered && { matrix: dirty.matrix, tracks: dirty.tracks }) };
    if (dirty.matrix) this.#drawTokenAxis();
    if (!isCovered && (dirty.matrix || dirty.tracks)) this.#drawRows(dirty);
    if (dirty.strip || dirty.matrix) this.#drawStrip();
    if (!isCovered && (dirty.overlay || dirty.matrix)) this.#drawOverlay();
    if (dirty.minimap) this.#drawMinimap();
  }

  /** Windows that the user has not taken over follow the run and the playhead. */
  #followWindows(): void {
    const { playhead, viewport, shownIndex } = this.view;
    const view = viewport.state;
    const firstFrame = this.#run.frameAt(0);
    const { tokens, steps } = followView(view, {
      cursor: this.#run.cursor,
      frameCount: this.#run.frameCount,
      shownIndex,
      following: playhead.state.following,
      replaced: firstFrame !== this.#firstFrame,
      height: this.#layout.height,
    });
    this.#firstFrame = firstFrame;
    if (tokens !== view.tokens || steps !== view.steps) viewport.set({ tokens, steps });
  }

  #drawTokenAxis(): void {
    const { tokens } = this.view.viewport.state;
    if (this.#tokenAxis?.window === tokens && this.#tokenAxis.layout === this.#layout) return;
    this.#tokenAxis = { window: tokens, layout: this.#layout };
    drawTokenAxis(this.elements.tokenAxis, tokens, this.#layout);
  }

  /** Blocks and tracks share rows and a canvas; each is a band of it that is drawn only when it changed. */
  #drawRows({ matrix, tracks }: Readonly<Record<'matrix' | 'tracks', boolean>>): void {
    const layer = this.#layers.matrix;
    const surface = layer.context;
    const palette = this.#palette;
    const { tokens, steps, colourBy } = this.view.viewport.state;
    const { left, matrixWidth, width, height } = this.#layout;
    const rows = visibleRows(steps, this.#run.frameCount, height);
    this.#raster.fit(layer.width, layer.height, layer.ratio);
    const fresh = this.#scroll(rows, tracks);
    if (matrix) {
      const scene = {
        run: this.#run,
        rows,
        window: tokens,
        width: matrixWidth,
        colourBy,
        palette,
        cache: this.#cache,
      };
      this.#raster.open(left, matrixWidth, left, fresh.from, fresh.to);
      drawMatrixBoxes(this.#raster, { ...scene, rows: fresh.rows });
      this.#raster.show(surface);
      surface.save();
      surface.beginPath();
      surface.rect(left, 0, matrixWidth, height);
      surface.clip();
      surface.translate(left, 0);
      drawMatrixGlyphs(surface, scene);
      surface.restore();
    }
    if (!tracks) return;
    this.#drawDifference(surface, rows);
    const right = left + matrixWidth;
    surface.clearRect(right, 0, width - right, height);
    for (const { track, x, width: trackWidth } of this.#layout.tracks) {
      const scene = { run: this.#run, rows, x, width: trackWidth, height, palette, cache: this.#cache };
      this.#raster.open(x, trackWidth, 0, fresh.from, fresh.to);
      drawTrackBoxes(this.#raster, track, { ...scene, rows: fresh.rows });
      this.#raster.show(surface);
      drawTrackMarks(surface, track, scene);
    }
    drawStepAxis(this.elements.stepAxis, steps, this.#layout, (index) => this.#run.stepAt(index));
  }

  /** Marks in the gutter beside the rows in which the other run holds something else. */
  #drawDifference(surface: DrawSurface, rows: readonly Row[]): void {
    const difference = this.view.difference;
    if (!difference) return;
    const { left, height } = this.#layout;
    surface.clearRect(0, 0, left, height);
    surface.fillStyle = this.#palette.accent;
    for (const row of rows) {
      if (!difference.isAt(row.index)) continue;
      surface.fillRect(left - MARK_WIDTH - 1, row.y, MARK_WIDTH, Math.max(1, row.height));
    }
  }

  /**
   * Move what the raster holds to where its rows are now.
   *
   * @param whole - blocks and tracks are both drawn; one without the other is drawn in full, where it stands.
   * @returns the rows that are left to draw, and the band that they lie in.
   */
  #scroll(rows: readonly Row[], whole: boolean): { rows: readonly Row[]; from: number; to: number } {
    const { tokens, colourBy } = this.view.viewport.state;
    const { ratio } = this.#layers.matrix;
    const next: DrawnRows = {
      rows,
      tokens,
      colourBy,
      layout: this.#layout,
      palette: this.#palette,
      run: this.#run,
      firstFrame: this.#firstFrame,
      ratio,
    };
    const drawn = this.#drawn;
    this.#drawn = next;
    const isAsDrawn =
      whole &&
      drawn !== null &&
      (['tokens', 'colourBy', 'layout', 'palette', 'run', 'firstFrame', 'ratio'] as const).every(
        (field) => drawn[field] === next[field],
      );
    const scrolled = isAsDrawn ? scrollRows(drawn.rows, rows, this.#layout.height) : null;
    if (scrolled && this.#raster.scroll(scrolled.byPixels)) return scrolled;
    return { rows, from: 0, to: this.#layout.height };
  }

  #drawOverlay(): void {
    const { overlay } = this.#layers;
    overlay.clear();
    const { steps, tokens, selection } = this.view.viewport.state;
    const { range } = this.view.playhead.state;
    drawOverlay(overlay.context, {
      layout: this.#layout,
      steps,
      window: tokens,
      shownIndex: this.view.shownIndex,
      frameCount: this.#run.frameCount,
      selection,
      gold: this.view.source.gold ?? [],
      prunings: this.#run.prunings,
      range,
      changes: this.#run.configChanges,
      hover: this.#hover,
      palette: this.#palette,
    });
    const peeked = this.view.peekedFocus();
    const palette = this.#palette;
    if (peeked) {
      drawSharesOverRow(overlay.context, peeked, { layout: this.#layout, window: tokens, steps, palette });
    }
    this.#rangeBrush.show(range, steps, this.#layout.left, this.#layout.height);
  }

  #drawStrip(): void {
    const { strip } = this.#layers;
    const entries = this.shownLayout();
    const still = globalThis.matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#morph.show(entries, !still);
    const frame = this.#run.frameAt(this.view.shownIndex);
    const { tokens, selection } = this.view.viewport.state;
    strip.clear();
    const scene: StripScene = {
      entries: this.#morph.entries,
      intervals: this.#morph.intervals,
      budgetTokens:
        this.view.difference?.slots() ?? Math.max(frame?.budgetTokens ?? 1, frame?.usedTokens ?? 1),
      width: strip.width,
      stripHeight: STRIP_HEIGHT,
      ribbonHeight: strip.height - STRIP_HEIGHT,
      axis: { window: tokens, left: this.#layout.left, width: this.#layout.matrixWidth },
      highlight: (i) => {
        const [, start, end] = this.#morph.entries[i]!;
        const within = (block: BlockRef | null | undefined) =>
          block && start >= block.start && end <= block.end;
        if (within(selection) || within(this.#hover?.block)) return 1;
        const differs = this.view.difference?.hasAlone(this.#morph.entries[i]!) ? DIFFERENCE_STRENGTH : 0;
        const isGold = this.view.source.gold?.some((span) => span.start < end && start < span.end) ?? false;
        return Math.max(differs, isGold ? GOLD_STRENGTH : 0, this.#morph.flashOf(i));
      },
      palette: this.#palette,
    };
    drawStrip(strip.context, scene);
    const peeked = this.view.peekedFocus();
    // Its boxes are the shown head's: those of another one stand on the axes alone.
    if (peeked?.head === this.view.head) drawSharesOnStrip(strip.context, peeked, scene);
  }

  #drawMinimap(): void {
    const { minimap } = this.#layers;
    const totalTokens = this.#run.cursor;
    const scene: MinimapScene = {
      entries: this.shownLayout(),
      provenance: this.view.source.provenance,
      totalTokens,
      gold: this.view.source.gold ?? [],
      width: minimap.width,
      height: minimap.height,
      palette: this.#palette,
    };
    drawMinimap(minimap.context, scene);
    const peeked = this.view.peekedFocus();
    if (peeked) drawSharesOnMinimap(minimap.context, peeked, scene);
    this.#brush.show(this.view.viewport.state.tokens, totalTokens, minimap.width, minimap.height);
    select(this.elements.brush).classed('is-whole', this.view.viewport.state.autoTokens);
  }
}

function isSame(a: readonly Track[], b: readonly Track[]): boolean {
  return a.length === b.length && a.every((track, i) => track === b[i]);
}
