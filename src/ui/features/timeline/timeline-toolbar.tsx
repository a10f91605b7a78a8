/** Over the page's timeline: how full the working context is, the legend, and what else can be shown. */
import { Columns2, GitFork, Maximize2, Network, Table2, ZoomIn, ZoomOut } from 'lucide-react';
import { CommandButton } from '../../view/command-button.tsx';
import { useViewport } from '../../view/hooks.ts';
import { BudgetGauge } from './budget-gauge.tsx';
import { Legend } from './legend.tsx';
import { TrackMenu } from './track-menu.tsx';

export function TimelineToolbar() {
  const tableOpen = useViewport((state) => state.tableOpen);
  const explorerOpen = useViewport((state) => state.explorerOpen);
  return (
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
  );
}
