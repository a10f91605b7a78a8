/** The tree explorer: every level of the history's tree over the timeline's own token axis. */
import { CornerDownRight, Table2, X, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { IconButton } from '../../widgets/icon-button.tsx';
import type { BlockRef } from '../../model/viewport.ts';
import { xToToken } from '../../model/token-axis.ts';
import { NODE_MEASURES, type NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { IcicleRow } from './icicle.ts';
import { MEASURE_WORDS } from './measure-words.ts';
import { NodeFilterBar } from './node-filter-bar.tsx';
import { NodeTable } from './node-table.tsx';
import { ExplorerRenderer } from './explorer-renderer.ts';
import { type Explorer, focusedNode } from './explorer.ts';
import { ExplorerContext, useExplorer } from './explorer-context.ts';
import { TreeFindings, TreeSearch } from './tree-search.tsx';
import { TreeTwin, nodeId, nodeWords } from './tree-twin.tsx';
import type { Step } from './tree-walk.ts';
import { CommandButton } from '../../view/command-button.tsx';
import { useRecording, useSession, useViewport } from '../../view/hooks.ts';

interface PlotProps {
  /** Left edge and width of the timeline's matrix: levels stand over the same tokens. */
  readonly left: number;
  readonly matrixWidth: number;
}

export function TreeExplorer({ explorer, ...plot }: PlotProps & { readonly explorer: Explorer }) {
  const isRecorded = useRecording((state) => state.recording !== null);
  const isEmpty = useSession((state) => (state.session?.cursor ?? 0) === 0);
  const heat = useStore(explorer.store, (state) => state.heat);
  const listOpen = useStore(explorer.nodes.store, (state) => state.open);
  return (
    <ExplorerContext value={explorer}>
      <div className={listOpen ? 'explorer has-list' : 'explorer'} role="region" aria-label="Tree explorer">
        <div className="explorer-toolbar">
          <TreeSearch />
          <span className="spacer" />
          <label className="explorer-heat">
            Heat
            <select
              aria-label="Heat"
              title={MEASURE_WORDS[heat].hint}
              value={heat}
              onChange={(event) => {
                explorer.showHeat(event.target.value as NodeMeasure);
              }}
            >
              {NODE_MEASURES.map((measure) => (
                <option key={measure} value={measure}>
                  {MEASURE_WORDS[measure].title}
                </option>
              ))}
            </select>
          </label>
          <CommandButton id="nodes" icon={Table2} label="List of nodes" text="Nodes" pressed={listOpen} />
          <CommandButton id="explorer" icon={X} label="Close the tree explorer" />
        </div>
        {isRecorded ? (
          <Emptiness title="A recording has no tree">
            A trace keeps what focus did, not the history itself. Go back to the live session to explore its
            tree.
          </Emptiness>
        ) : isEmpty ? (
          <Emptiness title="The tree grows with the history">
            Add a document on the left or ask something: each 32 tokens become a gist, each 32 gists a coarser
            one.
          </Emptiness>
        ) : (
          <>
            <Icicle {...plot} />
            {listOpen && (
              <section className="node-list" aria-label="List of nodes">
                <NodeFilterBar />
                <NodeTable />
              </section>
            )}
          </>
        )}
      </div>
    </ExplorerContext>
  );
}

function Emptiness({ title, children }: { readonly title: string; readonly children: string }) {
  return (
    <div className="explorer-empty" role="status">
      <h3>{title}</h3>
      <p className="muted">{children}</p>
    </div>
  );
}

const STEPS: Readonly<Record<string, Step>> = {
  ArrowUp: 'parent',
  ArrowDown: 'child',
  ArrowLeft: 'previous',
  ArrowRight: 'next',
  Home: 'first',
  End: 'last',
};

function onTreeKey(event: KeyboardEvent, node: BlockRef | null, explorer: Explorer): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const step = STEPS[event.key];
  if (step) explorer.walkTo(step);
  else if (event.key === 'Enter' && node) explorer.zoomToNode(node);
  else if (event.key === 'Escape') explorer.zoomOut();
  else return;
  event.preventDefault();
}

function Icicle({ left, matrixWidth }: PlotProps) {
  const explorer = useExplorer();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, setRows] = useState<readonly IcicleRow[]>([]);
  const [failure, setFailure] = useState('');
  const [hovered, setHovered] = useState<BlockRef | null>(null);
  const selection = useViewport((state) => state.selection);
  const cursor = useSession((state) => state.session?.cursor ?? 0);
  const shape = useMemo(() => ({ ...explorer.shape, tokenCount: cursor }), [cursor, explorer]);
  const node = useMemo(() => focusedNode(shape, selection), [shape, selection]);

  useEffect(() => {
    const renderer = new ExplorerRenderer(canvas.current!, explorer, setRows, setFailure);
    const stop = listenForPointer(renderer, setHovered);
    return () => {
      stop();
      renderer.dispose();
    };
  }, [explorer]);

  const told = hovered ?? node;
  return (
    <div className="explorer-body">
      <div className="explorer-plot" style={{ '--gutter': `${left}px`, '--plot-width': `${matrixWidth}px` }}>
        <ul className="explorer-levels" aria-hidden="true">
          {rows.map(({ lod, y, height }) => (
            <li key={lod} style={{ top: y, height }}>
              {lod === 0 ? 'raw' : `LOD${lod}`}
            </li>
          ))}
        </ul>
        <div
          className="explorer-tree"
          role="tree"
          tabIndex={0}
          aria-label="Gist tree. Arrows walk to parent, child and siblings, Enter zooms in, Escape out."
          aria-activedescendant={node ? nodeId(node) : undefined}
          onKeyDown={(event) => {
            onTreeKey(event, node, explorer);
          }}
        >
          <canvas ref={canvas} aria-hidden="true" />
          <div className="explorer-twin" role="none">
            {node && <TreeTwin node={node} shape={shape} />}
          </div>
        </div>
        <p className="explorer-told small" aria-hidden="true">
          {failure !== '' ? failure : told ? nodeWords(told) : ''}
        </p>
        {node && selection && (
          <div className="button-row explorer-acts">
            <IconButton
              icon={ZoomIn}
              label="Zoom to the selected node (Enter)"
              onClick={() => {
                explorer.zoomToNode(node);
              }}
            />
            <IconButton
              icon={ZoomOut}
              label="Zoom out by a level (Esc)"
              onClick={() => {
                explorer.zoomOut();
              }}
            />
            <IconButton
              icon={CornerDownRight}
              label="Show in the timeline"
              text="Show in the timeline"
              onClick={() => {
                explorer.showInTimeline(node);
              }}
            />
          </div>
        )}
      </div>
      <TreeFindings />
    </div>
  );
}

const DRAG_FROM_PIXELS = 4;
const WHEEL_ZOOM = 0.0016;

/** Hover, select, zoom and pan by pointer and wheel. Returns a function that stops. */
function listenForPointer(renderer: ExplorerRenderer, onHover: (node: BlockRef | null) => void): () => void {
  const { canvas, explorer } = renderer;
  const { viewport } = explorer.model.view;
  const controller = new AbortController();
  const { signal } = controller;
  let drag: { x: number; moved: boolean } | null = null;
  let hovered: BlockRef | null = null;

  const hover = (node: BlockRef | null) => {
    if (node?.lod === hovered?.lod && node?.start === hovered?.start) return;
    hovered = node;
    onHover(node);
  };
  const nodeAt = (event: MouseEvent) => renderer.nodeAt(event.clientX, event.clientY, explorer.shape);
  const tokenAt = (event: MouseEvent) =>
    xToToken(event.clientX - canvas.getBoundingClientRect().left, viewport.state.tokens, canvas.clientWidth);

  const listen = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => {
    canvas.addEventListener(type, listener, { signal, passive: false });
  };
  listen('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, moved: false };
  });
  listen('pointermove', (event) => {
    viewport.tellPointerToken(tokenAt(event));
    if (!drag) {
      hover(nodeAt(event));
      return;
    }
    const dx = event.clientX - drag.x;
    if (!drag.moved && Math.abs(dx) < DRAG_FROM_PIXELS) return;
    viewport.panTokens(-dx / canvas.clientWidth);
    drag = { x: event.clientX, moved: true };
  });
  listen('pointerup', (event) => {
    const wasDragged = drag?.moved === true;
    drag = null;
    const node = nodeAt(event);
    if (!wasDragged && node) explorer.selectNode(node);
  });
  listen('pointercancel', () => {
    drag = null;
  });
  listen('dblclick', (event) => {
    const node = nodeAt(event);
    if (node) explorer.zoomToNode(node);
  });
  listen('wheel', (event) => {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const pixels = (event.deltaY || event.deltaX) * unit;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) viewport.panTokens(pixels / canvas.clientWidth);
    else viewport.zoomTokens(Math.exp(pixels * WHEEL_ZOOM), tokenAt(event));
    hover(nodeAt(event));
  });
  listen('pointerleave', () => {
    viewport.tellPointerToken(null);
    hover(null);
  });
  return () => {
    controller.abort();
  };
}
