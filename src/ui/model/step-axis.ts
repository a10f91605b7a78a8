/** The vertical window of the timeline: which refocus steps are visible and where their rows lie. Pure. */

/** `top` is the frame index at the upper edge (fractional), `rowHeight` the height of one step in pixels. */
export interface StepWindow {
  readonly top: number;
  readonly rowHeight: number;
}

/** One row to draw: a frame and its pixel band. */
export interface Row {
  readonly index: number;
  readonly y: number;
  readonly height: number;
}

const MAX_ROW_HEIGHT = 48;
/** Rows higher than this leave a pixel between them. */
const GAP_FROM_HEIGHT = 6;
const FOLLOW_MAX_ROW_HEIGHT = 14;
const FOLLOW_MIN_ROW_HEIGHT = 3;
/** Rows: what adding up fractions may be off by. */
const ROUNDING = 1e-6;

/** The row height at which every step is visible. */
function fittingHeight(count: number, height: number): number {
  return height / Math.max(count, 1);
}

/** Every step in view, rows no higher than is pleasant. */
export function fitSteps(count: number, height: number): StepWindow {
  return { top: 0, rowHeight: Math.min(fittingHeight(count, height), FOLLOW_MAX_ROW_HEIGHT) };
}

/** The newest step at the bottom, in rows high enough to see single actions; older steps scroll out. */
export function followSteps(count: number, height: number): StepWindow {
  const rowHeight = Math.min(
    Math.max(fittingHeight(count, height), FOLLOW_MIN_ROW_HEIGHT),
    FOLLOW_MAX_ROW_HEIGHT,
  );
  return clampSteps({ top: count - height / rowHeight, rowHeight }, count, height);
}

/** Keep the window within the run. A run shorter than the view hangs from the top. */
export function clampSteps(window: StepWindow, count: number, height: number): StepWindow {
  const lowest = Math.min(fittingHeight(count, height), FOLLOW_MAX_ROW_HEIGHT);
  const rowHeight = Math.min(Math.max(window.rowHeight, lowest), MAX_ROW_HEIGHT);
  const top = Math.min(Math.max(window.top, 0), Math.max(0, count - height / rowHeight));
  return { top, rowHeight };
}

/** Zoom by `factor` (> 1 makes rows higher) so that the step under pixel `anchorY` stays there. */
export function zoomSteps(
  window: StepWindow,
  factor: number,
  anchorY: number,
  count: number,
  height: number,
): StepWindow {
  const lowest = Math.min(fittingHeight(count, height), FOLLOW_MAX_ROW_HEIGHT);
  const rowHeight = Math.min(Math.max(window.rowHeight * factor, lowest), MAX_ROW_HEIGHT);
  const anchor = window.top + anchorY / window.rowHeight;
  return clampSteps({ top: anchor - anchorY / rowHeight, rowHeight }, count, height);
}

export function panSteps(window: StepWindow, byPixels: number, count: number, height: number): StepWindow {
  return clampSteps(
    { top: window.top + byPixels / window.rowHeight, rowHeight: window.rowHeight },
    count,
    height,
  );
}

/** Scroll a step that is not fully visible into view, with some context around it; else stay put. */
export function revealStep(window: StepWindow, index: number, count: number, height: number): StepWindow {
  const visible = height / window.rowHeight;
  const margin = Math.min(3, visible / 4);
  if (index < window.top) return clampSteps({ ...window, top: index - margin }, count, height);
  if (index + 1 > window.top + visible + ROUNDING) {
    return clampSteps({ ...window, top: index + 1 + margin - visible }, count, height);
  }
  return window;
}

/**
 * The upper edge of a step's row, in pixels. The window's own edge lies on a whole pixel, so that scrolling moves
 * all rows by the same number of pixels, whatever their height.
 */
export function stepToY(index: number, window: StepWindow): number {
  return index * window.rowHeight - edgeOf(window);
}

function edgeOf({ top, rowHeight }: StepWindow): number {
  return Math.round(top * rowHeight);
}

/** The frame under a pixel, or null outside the run. */
export function yToStep(y: number, window: StepWindow, count: number): number | null {
  const index = Math.floor((edgeOf(window) + y) / window.rowHeight);
  return index >= 0 && index < count ? index : null;
}

/**
 * The rows to draw, newest last. Where steps are thinner than a pixel, each pixel line shows one step that
 * falls on it, so the work is bounded by the height and never by the run's length: the newest multiple of a
 * power of two, so that panning and small zooms ask for the steps that were asked for before.
 */
export function visibleRows(window: StepWindow, count: number, height: number): Row[] {
  const rows: Row[] = [];
  if (window.rowHeight >= 1) {
    const top = edgeOf(window) / window.rowHeight;
    const first = Math.max(0, Math.floor(top));
    const last = Math.min(count - 1, Math.ceil(top + height / window.rowHeight) - 1);
    const gap = window.rowHeight >= GAP_FROM_HEIGHT ? 1 : 0;
    for (let index = first; index <= last; index++) {
      const y = Math.round(stepToY(index, window));
      rows.push({ index, y, height: Math.round(stepToY(index + 1, window)) - y - gap });
    }
    return rows;
  }
  const stride = 2 ** Math.floor(Math.log2(1 / window.rowHeight));
  for (let y = 0; y < height; y++) {
    const newest = Math.min(count, Math.ceil(window.top + (y + 1) / window.rowHeight)) - 1;
    if (newest < 0 || newest < Math.floor(window.top + y / window.rowHeight)) continue;
    const index = newest === count - 1 ? newest : newest - (newest % stride);
    rows.push({ index, y, height: 1 });
  }
  return rows;
}

/** What moving from one set of rows to another leaves to draw. */
interface RowScroll {
  /** How far what is drawn already moves down; negative: up. */
  readonly byPixels: number;
  /** The band that has to be drawn anew, and the rows in it. */
  readonly from: number;
  readonly to: number;
  readonly rows: readonly Row[];
}

/** Null where the rows do not simply move, as after a zoom: then everything has to be drawn anew. */
export function scrollRows(before: readonly Row[], after: readonly Row[], height: number): RowScroll | null {
  const known = new Map(before.map((row) => [row.index, row]));
  if (known.size < before.length) return null;
  let byPixels: number | null = null;
  let [from, to] = [height, 0];
  for (const row of after) {
    const old = known.get(row.index);
    if (old) {
      if (old.height !== row.height || row.y - old.y !== (byPixels ?? row.y - old.y)) return null;
      byPixels = row.y - old.y;
      // What was cut off at the edge from which the rows move away was not drawn whole.
      const wasCut = byPixels < 0 ? old.y + old.height > height : byPixels > 0 && old.y < 0;
      if (!wasCut) continue;
    }
    from = Math.min(from, row.y);
    to = Math.max(to, row.y + row.height);
  }
  if (byPixels === null) return null;
  if (byPixels < 0) [from, to] = [Math.min(from, height + byPixels), height];
  if (byPixels > 0) [from, to] = [0, Math.max(to, byPixels)];
  return { byPixels, from, to, rows: after.filter(({ y, height: high }) => y < to && y + high > from) };
}
