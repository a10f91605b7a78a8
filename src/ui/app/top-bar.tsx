/** The top bar: product, session, engine badges, run controls, page controls. */
import {
  ChartSpline,
  CircleHelp,
  Moon,
  PanelLeft,
  PanelRight,
  Pause,
  Play,
  Search,
  StepForward,
  Sun,
} from 'lucide-react';
import { resolvedTheme } from '../model/shell.ts';
import { BackendBadge, ModelBadge, StorageBadge } from './badges.tsx';
import { SessionMenu } from './session-menu.tsx';
import { CommandButton } from '../view/command-button.tsx';
import { useSession, useShell } from '../view/hooks.ts';

export function TopBar() {
  const theme = useShell((state) => state.theme);
  const leftOpen = useShell((state) => state.leftOpen);
  const rightOpen = useShell((state) => state.rightOpen);
  return (
    <header className="top-bar">
      <div className="top-bar-group">
        <CommandButton id="left-panel" icon={PanelLeft} pressed={leftOpen} className="desktop-only" />
        <h1 className="brand">
          <BrandMark />
          <span>MegaContext</span>
        </h1>
        <SessionMenu />
      </div>
      <div className="top-bar-group badges">
        <ModelBadge />
        <BackendBadge />
        <StorageBadge />
      </div>
      <div className="top-bar-group top-bar-end">
        <RunControls />
        <span className="rule desktop-only" />
        <CommandButton id="evaluate" icon={ChartSpline} />
        <CommandButton id="palette" icon={Search} />
        <CommandButton
          id="theme"
          icon={resolvedTheme(theme) === 'dark' ? Sun : Moon}
          className="desktop-only"
        />
        <CommandButton id="help" icon={CircleHelp} className="desktop-only" />
        <CommandButton id="right-panel" icon={PanelRight} pressed={rightOpen} className="desktop-only" />
      </div>
    </header>
  );
}

function RunControls() {
  const running = useSession((state) => state.running);
  const phase = useSession((state) => state.phase);
  const pending = useSession((state) => state.session?.pendingTokens ?? 0);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const answering = useSession((state) => state.session?.activity === 'answering');
  const why =
    phase !== 'ready'
      ? 'The engine is not ready yet'
      : readOnly
        ? 'This session is open in another tab'
        : answering
          ? 'An answer is being written'
          : pending === 0 && !running
            ? 'Nothing is queued: add a document first'
            : null;
  return (
    <div className="run-controls" role="group" aria-label="Ingestion">
      <CommandButton
        id="run"
        icon={running ? Pause : Play}
        text={running ? 'Pause' : 'Run'}
        className="primary"
        disabled={why !== null}
        label={why ?? (running ? 'Pause ingestion' : 'Run ingestion')}
      />
      <CommandButton
        id="step"
        icon={StepForward}
        disabled={why !== null || running}
        label={why ?? (running ? 'Pause first to step' : 'Ingest one block and refocus')}
      />
    </div>
  );
}

/** A gist tree in a square: four levels of detail. */
function BrandMark() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" className="brand-mark">
      <rect x="1" y="1" width="18" height="4" rx="1" fill="var(--lod-3)" />
      <rect x="1" y="6" width="8.5" height="4" rx="1" fill="var(--lod-2)" />
      <rect x="10.5" y="6" width="8.5" height="4" rx="1" fill="var(--lod-1)" />
      <rect x="10.5" y="11" width="3.8" height="8" rx="1" fill="var(--lod-0)" />
      <rect x="15.2" y="11" width="3.8" height="8" rx="1" fill="var(--lod-1)" />
      <rect x="1" y="11" width="8.5" height="8" rx="1" fill="var(--lod-3)" />
    </svg>
  );
}
