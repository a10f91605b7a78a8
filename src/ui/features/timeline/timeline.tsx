/** The timeline of the view that it stands in: overview, working-context strip, matrix and tracks. Drawing is the renderer's. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useRunView, useViewport } from '../../view/hooks.ts';
import { type TimelineLayout, layoutTimeline } from './frame-layout.ts';
import { listenForGestures } from './gestures.ts';
import { StepTable } from './step-table.tsx';
import { TimelineEmpty } from './timeline-empty.tsx';
import { TimelineRenderer } from './timeline-renderer.ts';
import { Tooltip, type TooltipHandle } from './tooltip.tsx';
import { TrackHeaders } from './track-headers.tsx';

interface TimelineProps {
  /** Tells timelines apart where there are several. */
  readonly label: string;
  /** What stands over the plot: a toolbar, or the name of the run. */
  readonly children: ReactNode;
  /** What lies over the rows, at the matrix's left edge and width; null while they are seen. */
  readonly cover?: (layout: TimelineLayout) => ReactNode;
  /** Told how the plot is divided on the screen. */
  readonly onLayout?: (layout: TimelineLayout) => void;
}

export function Timeline({ label, children, cover, onLayout }: TimelineProps) {
  const view = useRunView();
  const root = useRef<HTMLElement>(null);
  const minimap = useRef<HTMLCanvasElement>(null);
  const brush = useRef<SVGSVGElement>(null);
  const strip = useRef<HTMLCanvasElement>(null);
  const tokenAxis = useRef<SVGSVGElement>(null);
  const matrix = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const stepAxis = useRef<SVGSVGElement>(null);
  const range = useRef<SVGSVGElement>(null);
  const tooltip = useRef<TooltipHandle>(null);
  const [layout, setLayout] = useState<TimelineLayout>(() =>
    layoutTimeline(800, 400, {
      registered: view.tracks.suited(view.source.run),
      state: view.tracks.state,
    }),
  );
  const told = useRef(onLayout);
  const tableOpen = useViewport((state) => state.tableOpen);
  useEffect(() => {
    told.current = onLayout;
  });

  useEffect(() => {
    const renderer = new TimelineRenderer(
      {
        root: root.current!,
        minimap: minimap.current!,
        brush: brush.current!,
        strip: strip.current!,
        tokenAxis: tokenAxis.current!,
        matrix: matrix.current!,
        overlay: overlay.current!,
        stepAxis: stepAxis.current!,
        range: range.current!,
      },
      view,
      (next) => {
        told.current?.(next);
        setLayout(next);
      },
    );
    const stop = listenForGestures(renderer, (hit) => tooltip.current?.show(hit));
    return () => {
      stop();
      renderer.dispose();
    };
  }, [view]);

  return (
    <section className="timeline" ref={root} aria-label={label}>
      {children}
      <div className="timeline-minimap">
        <canvas ref={minimap} role="img" aria-label="Overview of the whole history" />
        <svg ref={brush} aria-hidden="true" />
      </div>
      <div className="timeline-strip">
        <canvas
          ref={strip}
          role="img"
          aria-label="Working context, one box per entry, as wide as its slots"
        />
      </div>
      <div className="timeline-axis">
        <svg ref={tokenAxis} aria-hidden="true" />
        <TrackHeaders layout={layout} />
      </div>
      <div className="timeline-body">
        <canvas ref={matrix} className="layer" aria-hidden="true" />
        <svg ref={stepAxis} className="layer" aria-hidden="true" />
        <canvas
          ref={overlay}
          className="layer timeline-overlay"
          role="img"
          tabIndex={0}
          aria-label="Refocus steps from top to bottom, token positions from left to right. Shift A and Shift D select blocks; T shows the step as a table."
        />
        <svg ref={range} className="timeline-range" style={{ width: layout.left }} aria-hidden="true" />
        <TimelineEmpty />
        {tableOpen && <StepTable />}
        {cover?.(layout)}
      </div>
      <Tooltip ref={tooltip} />
    </section>
  );
}
