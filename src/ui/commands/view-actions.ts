/** Zoom, pan, fit and seek as functions of the view; buttons, keys and gestures share them. */
import { currentRun } from '../model/current-run.ts';
import { entryAtToken } from '../features/timeline/hit.ts';
import { clampSteps, panSteps, revealStep, zoomSteps } from '../features/timeline/step-axis.ts';
import {
  clampTokens,
  fitTokens,
  focusTokens,
  panTokens,
  zoomTokens,
} from '../features/timeline/token-axis.ts';
import { usePlayback, seek } from '../model/playback-store.ts';
import { useShell } from '../app/shell-store.ts';
import { type BlockRef, useView } from '../model/view-store.ts';

/** The height of the matrix in pixels, told by the renderer. */
let matrixHeight = 400;
/** The token under the pointer, if it is over the timeline: keys zoom there. */
let pointerToken: number | null = null;

export function tellMatrixHeight(height: number): void {
  matrixHeight = height;
}

export function tellPointerToken(token: number | null): void {
  pointerToken = token;
}

/** Zoom the token axis; factor > 1 shows more. */
export function zoomTokenAxis(factor: number, anchor = pointerToken): void {
  const { tokens } = useView.getState();
  const at = anchor ?? (tokens.start + tokens.end) / 2;
  const zoomed = zoomTokens(tokens, factor, at, currentRun.cursor);
  const whole = fitTokens(currentRun.cursor);
  useView.setState({ tokens: zoomed, autoTokens: zoomed.end - zoomed.start >= whole.end });
}

/** Pan the token axis by a fraction of what is visible. */
export function panTokenAxis(fraction: number): void {
  const { tokens } = useView.getState();
  const by = (tokens.end - tokens.start) * fraction;
  useView.setState({ tokens: panTokens(tokens, by, currentRun.cursor), autoTokens: false });
}

/** Zoom the step axis about a pixel; factor > 1 makes rows higher. */
export function zoomStepAxis(factor: number, anchorY = matrixHeight / 2): void {
  const { steps } = useView.getState();
  const zoomed = zoomSteps(steps, factor, anchorY, currentRun.frameCount, matrixHeight);
  useView.setState({ steps: zoomed, autoSteps: false });
}

export function panStepAxis(pixels: number): void {
  const { steps } = useView.getState();
  useView.setState({ steps: panSteps(steps, pixels, currentRun.frameCount, matrixHeight), autoSteps: false });
}

/** The rows in view, as frame indices; fractional. */
export function visibleSteps(): readonly [from: number, to: number] {
  const { top, rowHeight } = useView.getState().steps;
  return [top, top + matrixHeight / rowHeight];
}

/** Show these rows, as far as the run has them. */
export function showSteps(from: number, to: number): void {
  const steps = clampSteps(
    { top: from, rowHeight: matrixHeight / (to - from) },
    currentRun.frameCount,
    matrixHeight,
  );
  useView.setState({ steps, autoSteps: false });
}

/** Everything in view: all tokens, all steps. */
export function fitAll(): void {
  const count = currentRun.frameCount;
  useView.setState({
    tokens: fitTokens(currentRun.cursor),
    autoTokens: true,
    steps: clampSteps({ top: 0, rowHeight: 0 }, count, matrixHeight),
    autoSteps: false,
  });
}

/** Let both windows follow the run again. */
export function followWindows(): void {
  useView.setState({ tokens: fitTokens(currentRun.cursor), autoTokens: true, autoSteps: true });
}

/** Zoom to the selection; again to fit everything. */
export function focusSelection(): void {
  const { selection, tokens } = useView.getState();
  if (!selection) {
    fitAll();
    return;
  }
  const focused = focusTokens(selection.start, selection.end, currentRun.cursor);
  if (focused.start === tokens.start && focused.end === tokens.end) fitAll();
  else useView.setState({ tokens: clampTokens(focused, currentRun.cursor), autoTokens: false });
}

export function select(block: BlockRef | null): void {
  useView.setState({ selection: block });
  if (block) useShell.setState({ rightTab: 'inspector', rightOpen: true });
}

/** Select the neighbour of the selected block in the shown layout, or the last block. */
export function selectNeighbour(direction: 1 | -1): void {
  const layout = currentRun.layoutAt(usePlayback.getState().index);
  const { selection } = useView.getState();
  const at = selection ? entryAtToken(layout, selection.start) + direction : layout.length - 1;
  const entry = layout[Math.min(Math.max(at, 0), layout.length - 1)];
  if (entry) select({ lod: entry[0], start: entry[1], end: entry[2] });
}

/** Move the playhead and keep it in view. */
export function seekTo(index: number): void {
  seek(index);
  const { steps } = useView.getState();
  const at = usePlayback.getState().index;
  useView.setState({ steps: revealStep(steps, at, currentRun.frameCount, matrixHeight), autoSteps: true });
}

export function seekBy(frames: number): void {
  seekTo(usePlayback.getState().index + frames);
}

export function seekAction(direction: 1 | -1): void {
  const found = currentRun.nextAction(usePlayback.getState().index, direction);
  if (found !== null) seekTo(found);
}
