/** One plot of the comparison: working-context strips and the matrix of one run, or of both laid over each other. */
import { useEffect, useRef } from 'react';
import type { RunTrace } from '../../model/run-trace.ts';
import { useView } from '../../model/view-store.ts';
import { drawStepAxis, drawTokenAxis } from '../timeline/axes.ts';
import { CanvasLayer } from '../timeline/canvas-layer.ts';
import { drawMatrix } from '../timeline/draw-matrix.ts';
import { drawOverlay } from '../timeline/draw-overlay.ts';
import { drawStrip } from '../timeline/draw-strip.ts';
import { type TimelineLayout, layoutTimeline } from '../timeline/frame-layout.ts';
import { type Palette, readPalette } from '../timeline/palette.ts';
import { slotOffsets } from '../timeline/slots.ts';
import { type Row, visibleRows, yToStep } from '../timeline/step-axis.ts';
import { xToToken } from '../timeline/token-axis.ts';
import { INITIAL_ARRANGEMENT } from '../timeline/tracks.ts';
import { seekCompared, zoomComparedTokens } from './compare-actions.ts';
import { type Side, useCompare } from './compare-store.ts';
import {
  currentComparison,
  differsAt,
  frameOf,
  hasEnded,
  hasFrame,
  indexOf,
  layoutOf,
  runOf,
  tellComparedHeight,
} from './comparison.ts';

/** The plots carry no tracks: their figures stand in the table. */
const NO_TRACKS = { ...INITIAL_ARRANGEMENT, hidden: INITIAL_ARRANGEMENT.order };
const STRIP_HEIGHT = 22;
const MARK_WIDTH = 4;
const WHEEL_ZOOM = 0.0016;

export function ComparePlot({ sides, label }: { readonly sides: readonly Side[]; readonly label: string }) {
  const root = useRef<HTMLDivElement>(null);
  const both = sides.length > 1;
  useEffect(() => {
    const element = root.current!;
    const plot = new PlotRenderer(element, both ? ['a', 'b'] : [sides[0]!]);
    return () => {
      plot.dispose();
    };
    // The sides of a plot never change while it is mounted.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return (
    <div className="compare-plot" ref={root}>
      {sides.map((side) => (
        <canvas
          key={side}
          className="compare-strip"
          data-strip={side}
          role="img"
          aria-label={`Working context of ${side.toUpperCase()} at the playhead; entries that the other does not hold are outlined`}
        />
      ))}
      <svg className="compare-token-axis" aria-hidden="true" />
      <div className="compare-matrix">
        <canvas data-layer="matrix" role="img" aria-label={label} />
        <svg aria-hidden="true" />
        <canvas data-layer="overlay" aria-hidden="true" />
      </div>
    </div>
  );
}

class PlotRenderer {
  private readonly strips: ReadonlyMap<Side, CanvasLayer>;
  private readonly matrix: CanvasLayer;
  private readonly overlay: CanvasLayer;
  private readonly stops: (() => void)[] = [];
  private layout: TimelineLayout = layoutTimeline(400, 300, NO_TRACKS);
  private palette: Palette;
  private pending = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly sides: readonly Side[],
  ) {
    const canvas = (selector: string) => root.querySelector<HTMLCanvasElement>(selector)!;
    this.strips = new Map(sides.map((side) => [side, new CanvasLayer(canvas(`[data-strip=${side}]`))]));
    this.matrix = new CanvasLayer(canvas('[data-layer=matrix]'));
    this.overlay = new CanvasLayer(canvas('[data-layer=overlay]'));
    this.palette = readPalette(root);
    const redraw = () => {
      this.pending ||= requestAnimationFrame(() => {
        this.pending = 0;
        this.draw();
      });
    };
    const resize = new ResizeObserver(redraw);
    resize.observe(root);
    const theme = new MutationObserver(() => {
      this.palette = readPalette(root);
      redraw();
    });
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const controller = new AbortController();
    this.listen(controller.signal);
    this.stops.push(useCompare.subscribe(redraw), () => {
      resize.disconnect();
      theme.disconnect();
      controller.abort();
    });
    redraw();
  }

  dispose(): void {
    cancelAnimationFrame(this.pending);
    for (const stop of this.stops) stop();
  }

  /** A click moves the playhead, the wheel zooms. */
  private listen(signal: AbortSignal): void {
    const { canvas } = this.overlay;
    canvas.addEventListener(
      'click',
      ({ offsetY }) => {
        const { steps, count } = useCompare.getState();
        const place = yToStep(offsetY, steps, count);
        if (place !== null) seekCompared(place);
      },
      { signal },
    );
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const { left, matrixWidth } = this.layout;
        const x = Math.min(Math.max(event.offsetX - left, 0), matrixWidth);
        const { tokens } = useCompare.getState();
        zoomComparedTokens(Math.exp(event.deltaY * WHEEL_ZOOM), xToToken(x, tokens, matrixWidth));
      },
      { signal, passive: false },
    );
  }

  private draw(): void {
    const { matrix, overlay } = this;
    for (const layer of [matrix, overlay, ...this.strips.values()]) layer.fit();
    if (matrix.width === 0 || matrix.height === 0) return;
    if (matrix.width !== this.layout.width || matrix.height !== this.layout.height) {
      this.layout = layoutTimeline(matrix.width, matrix.height, NO_TRACKS);
      tellComparedHeight(matrix.height);
    }
    this.drawMatrix();
    this.drawOverlay();
    for (const [side, layer] of this.strips) this.drawStrip(side, layer);
  }

  private drawMatrix(): void {
    const { matrix, layout, palette, sides } = this;
    const { tokens, steps, count, by } = useCompare.getState();
    const { left, matrixWidth, height } = layout;
    const surface = matrix.context;
    const rows = visibleRows(steps, count, height);
    matrix.clear();
    for (const row of rows) {
      if (!differsAt(row.index)) continue;
      surface.fillStyle = palette.accent;
      surface.fillRect(left - MARK_WIDTH - 1, row.y, MARK_WIDTH, Math.max(1, row.height));
    }
    surface.save();
    surface.beginPath();
    surface.rect(left, 0, matrixWidth, height);
    surface.clip();
    surface.translate(left, 0);
    const { colourBy } = useView.getState();
    sides.forEach((side, i) => {
      const own = sides.length === 1 ? rows : rows.map((row) => halfOf(row, i));
      drawMatrix(surface, {
        trace: placedTrace(side),
        rows: own,
        window: tokens,
        width: matrixWidth,
        colourBy,
        palette,
      });
    });
    surface.restore();
    drawTokenAxis(this.svg('.compare-token-axis'), tokens, layout);
    // Along the history's length steps are not evenly spaced, so that places have no number of their own.
    const keys = currentComparison()?.alignment.keys;
    drawStepAxis(this.svg('.compare-matrix svg'), steps, layout, (place) => {
      const step = by === 'step' ? keys?.[place] : undefined;
      return step === undefined ? undefined : { step };
    });
  }

  private drawOverlay(): void {
    const { overlay, layout, palette } = this;
    const { tokens, steps, place, count } = useCompare.getState();
    overlay.clear();
    drawOverlay(overlay.context, {
      layout,
      steps,
      window: tokens,
      shownIndex: place,
      frameCount: count,
      selection: useView.getState().selection,
      hover: null,
      palette,
    });
  }

  private drawStrip(side: Side, layer: CanvasLayer): void {
    const { layout, palette } = this;
    const { place, tokens } = useCompare.getState();
    const entries = layoutOf(side, place);
    const offsets = slotOffsets(entries);
    const held = new Set(layoutOf(side === 'a' ? 'b' : 'a', place).map(String));
    // One scale for both, so that a smaller budget is a shorter strip.
    const budgets = (['a', 'b'] as const).map((each) => {
      const frame = frameOf(each, place);
      return Math.max(frame?.budgetTokens ?? 1, frame?.usedTokens ?? 1);
    });
    layer.clear();
    drawStrip(layer.context, {
      entries,
      intervals: entries.map((_, i) => ({ from: offsets[i]!, to: offsets[i + 1]! })),
      budgetTokens: Math.max(...budgets),
      width: layer.width,
      stripHeight: STRIP_HEIGHT,
      ribbonHeight: Math.max(0, layer.height - STRIP_HEIGHT),
      axis: { window: tokens, left: layout.left, width: layout.matrixWidth },
      highlight: (i) => (held.has(String(entries[i])) ? 0 : 0.8),
      palette,
    });
  }

  private svg(selector: string): SVGSVGElement {
    return this.root.querySelector<SVGSVGElement>(selector)!;
  }
}

/** The upper half of a row for A, the lower for B; rows too low for both are shared out in turn. */
function halfOf(row: Row, half: number): Row {
  if (row.height < 2) return row.index % 2 === half ? row : { ...row, height: 0 };
  const upper = Math.ceil(row.height / 2);
  return half === 0 ? { ...row, height: upper } : { ...row, y: row.y + upper, height: row.height - upper };
}

/** A run by places of the playhead instead of by frames. */
function placedTrace(side: Side): Pick<RunTrace, 'layoutAt' | 'scoredLayoutAt' | 'frameAt'> {
  const run = runOf(side);
  return {
    layoutAt: (place) => (hasEnded(side, place) ? [] : layoutOf(side, place)),
    scoredLayoutAt: (place) =>
      hasEnded(side, place) ? null : (run?.scoredLayoutAt(indexOf(side, place)) ?? null),
    frameAt: (place) => (hasFrame(side, place) ? run?.frameAt(indexOf(side, place)) : undefined),
  };
}
