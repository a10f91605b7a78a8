/** The timeline panel: toolbar, overview, working-context strip, matrix and tracks. Drawing is the renderer's. */
import { Columns2, GitFork, Maximize2, Network, Table2, ZoomIn, ZoomOut } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { tellMatrixHeight } from '../../commands/view-actions.ts';
import { TreeExplorer } from '../explorer/tree-explorer.tsx';
import { currentRun } from '../../model/current-run.ts';
import { PresetStory } from '../presets/preset-story.tsx';
import { CommandButton } from '../../widgets/icon-button.tsx';
import { tellShownLayout } from '../share/shown-layout.ts';
import { useExplorer } from '../explorer/explorer-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useView } from '../../model/view-store.ts';
import { BudgetGauge } from './budget-gauge.tsx';
import { type TimelineLayout, layoutTimeline } from './frame-layout.ts';
import { listenForGestures } from './gestures.ts';
import { Legend } from './legend.tsx';
import { StepTable } from './step-table.tsx';
import { TimelineEmpty } from './timeline-empty.tsx';
import { TimelineRenderer } from './timeline-renderer.ts';
import { Tooltip, type TooltipHandle } from './tooltip.tsx';
import { TrackHeaders } from './track-headers.tsx';
import { TrackMenu } from './track-menu.tsx';

export function Timeline() {
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
  const [layout, setLayout] = useState<TimelineLayout>(() => layoutTimeline(800, 400));
  const tableOpen = useView((state) => state.tableOpen);
  const explorerOpen = useExplorer((state) => state.open);
  const phase = useSession((state) => state.phase);

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
      currentRun,
      (next) => {
        tellMatrixHeight(next.height);
        tellShownLayout(next);
        setLayout(next);
      },
    );
    const stop = listenForGestures(renderer, (hit) => tooltip.current?.show(hit));
    return () => {
      stop();
      renderer.dispose();
    };
  }, []);

  return (
    <section className="timeline" ref={root} aria-label="Timeline">
      <PresetStory />
      <div className="timeline-toolbar">
        <h2>Working context</h2>
        <BudgetGauge />
        <span className="spacer" />
        <Legend />
        <div className="button-row" role="group" aria-label="Zoom">
          <CommandButton id="zoom-out" icon={ZoomOut} className="desktop-only" />
          <CommandButton id="zoom-in" icon={ZoomIn} className="desktop-only" />
          <CommandButton id="fit" icon={Maximize2} />
          <CommandButton id="table" icon={Table2} pressed={tableOpen} />
          <CommandButton id="explorer" icon={Network} pressed={explorerOpen} />
        </div>
        <div className="button-row" role="group" aria-label="Other runs">
          <CommandButton id="branch" icon={GitFork} className="desktop-only" />
          <CommandButton id="compare" icon={Columns2} className="desktop-only" />
        </div>
        <TrackMenu />
      </div>
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
        <TimelineEmpty phase={phase} />
        {tableOpen && <StepTable />}
        {explorerOpen && <TreeExplorer left={layout.left} matrixWidth={layout.matrixWidth} />}
      </div>
      <Tooltip ref={tooltip} />
    </section>
  );
}
