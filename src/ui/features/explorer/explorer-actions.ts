/** What can be done in the explorer, each in one function; keys, buttons and the pointer share them. */
import { select } from '../../commands/view-actions.ts';
import { currentRun } from '../../model/current-run.ts';
import { send } from '../../model/engine-session.ts';
import { type Found, useExplorer } from './explorer-store.ts';
import { reportError } from '../../model/problem-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { type BlockRef, useView } from '../../model/view-store.ts';
import { clampTokens, fitTokens } from '../timeline/token-axis.ts';
import {
  type Step,
  type TreeShape,
  coarsestLevel,
  nodeAtToken,
  nodeOf,
  parentOf,
  walk,
} from './tree-walk.ts';

/** Levels that a tree can have; those without nodes are not shown. */
const MAX_LOD = 4;
const TEXT_HITS = 200;
const SIMILAR_HITS = 8;
/** Room on either side of a block that was zoomed to, as a part of its width. */
const ZOOM_MARGIN = 0.04;

export function treeShape(): TreeShape {
  return { tokenCount: useSession.getState().session?.cursor ?? 0, maxLod: MAX_LOD };
}

export function toggleExplorer(): void {
  const open = !useExplorer.getState().open;
  useExplorer.setState({ open });
  useShell.setState({ mobileTab: 'timeline' });
  if (open) useView.setState({ tableOpen: false });
}

/** Open the explorer with the caret in its search field. */
export function startSearch(): void {
  if (!useExplorer.getState().open) toggleExplorer();
  useShell.setState({ mobileTab: 'timeline' });
  requestAnimationFrame(() => document.getElementById('tree-search')?.focus());
}

/** The node that keys act on: the selection if the tree has it, else the oldest of the coarsest level. */
export function focusedNode(shape: TreeShape, selection: BlockRef | null): BlockRef | null {
  if (selection) return nodeAtToken(selection.lod, selection.start, shape);
  const coarsest = coarsestLevel(shape);
  return coarsest < 0 ? null : nodeOf(coarsest, 0, shape);
}

/** Walk from the selection and keep what is reached in view. */
export function walkTo(step: Step): void {
  const shape = treeShape();
  const { selection } = useView.getState();
  const from = focusedNode(shape, selection);
  if (!from) return;
  const to = selection ? walk(from, step, shape) : from;
  selectNode(to);
}

export function selectNode(node: BlockRef): void {
  select(node);
  const { tokens } = useView.getState();
  const outside = node.end <= tokens.start || node.start >= tokens.end;
  const tooNarrow = (node.end - node.start) / (tokens.end - tokens.start) < 0.001;
  if (outside || tooNarrow) zoomToNode(nodeAtToken(node.lod + 1, node.start, treeShape()) ?? node);
}

/** The block fills the width. */
export function zoomToNode({ start, end }: BlockRef): void {
  const margin = (end - start) * ZOOM_MARGIN;
  const window = clampTokens({ start: start - margin, end: end + margin }, currentRun.cursor);
  useView.setState({ tokens: window, autoTokens: false });
}

/** Out by one level: the smallest ancestor that is wider than the view, or everything. */
export function zoomOut(): void {
  const { tokens, selection } = useView.getState();
  const shape = treeShape();
  let node = focusedNode(shape, selection);
  while (node && (node.end - node.start) * (1 + ZOOM_MARGIN) <= tokens.end - tokens.start) {
    node = parentOf(node, shape);
  }
  if (node) zoomToNode(node);
  else useView.setState({ tokens: fitTokens(currentRun.cursor), autoTokens: true });
}

/** Back to the steps, with this block selected and in view. */
export function showInTimeline(block: BlockRef): void {
  useExplorer.setState({ open: false });
  select(block);
  zoomToNode(block);
}

let newestSearch = 0;

/** Look a text up, or what means the same; the last search asked for wins. */
export async function search(query: string): Promise<void> {
  const id = ++newestSearch;
  if (query.trim() === '') {
    useExplorer.setState({ found: null, searching: false });
    return;
  }
  useExplorer.setState({ searching: true });
  try {
    const found: Found =
      useExplorer.getState().searchBy === 'text'
        ? { kind: 'text', query, answer: await send({ kind: 'searchText', query, limit: TEXT_HITS }) }
        : {
            kind: 'meaning',
            query,
            answer: await send({ kind: 'searchSimilar', query, limit: SIMILAR_HITS }),
          };
    if (id === newestSearch) useExplorer.setState({ found, searching: false });
  } catch (error) {
    if (id !== newestSearch) return;
    useExplorer.setState({ searching: false });
    reportError('The search failed', error);
  }
}
