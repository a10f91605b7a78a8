/** The horizontal window of the timeline: which tokens are visible, and how zoom and pan change that. Pure. */

/** A visible range of tokens; fractional while zooming. */
export interface TokenWindow {
  readonly start: number;
  readonly end: number;
}

/** The narrowest zoom: one token across the whole width. */
const MIN_VISIBLE_TOKENS = 1;
/** Per wheel pixel. */
const WHEEL_ZOOM = 0.0016;
/** Browsers report a pinch by the factor s as −100 · ln s. */
const PINCH_ZOOM = 0.01;
/** An empty history still gets an axis of this many tokens. */
const MIN_TOTAL_TOKENS = 256;

/** The whole history. */
export function fitTokens(totalTokens: number): TokenWindow {
  return { start: 0, end: Math.max(totalTokens, MIN_TOTAL_TOKENS) };
}

/** Keep a window within the history and within the zoom limits, without changing its width when panning. */
export function clampTokens(window: TokenWindow, totalTokens: number): TokenWindow {
  const whole = fitTokens(totalTokens).end;
  const span = Math.min(Math.max(window.end - window.start, MIN_VISIBLE_TOKENS), whole);
  const start = Math.min(Math.max(window.start, 0), whole - span);
  return { start, end: start + span };
}

/** Zoom by `factor` (> 1 shows more) so that the token under `anchor` stays where it is. */
export function zoomTokens(
  window: TokenWindow,
  factor: number,
  anchor: number,
  totalTokens: number,
): TokenWindow {
  const whole = fitTokens(totalTokens).end;
  const span = window.end - window.start;
  const wanted = Math.min(Math.max(span * factor, MIN_VISIBLE_TOKENS), whole);
  const start = anchor - (anchor - window.start) * (wanted / span);
  return clampTokens({ start, end: start + wanted }, totalTokens);
}

/** Two fingers on the plot: where their middle is, from its left edge, and how far they are apart, in pixels. */
export interface Pinch {
  readonly x: number;
  readonly distance: number;
}

/** The window after two fingers moved: zoomed as far as they spread, with the token that was between them still there. */
export function pinchTokens(
  window: TokenWindow,
  before: Pinch,
  after: Pinch,
  width: number,
  totalTokens: number,
): TokenWindow {
  const factor = Math.max(before.distance, 1) / Math.max(after.distance, 1);
  const zoomed = zoomTokens(window, factor, xToToken(before.x, window, width), totalTokens);
  const byTokens = ((before.x - after.x) / width) * (zoomed.end - zoomed.start);
  return panTokens(zoomed, byTokens, totalTokens);
}

/** How much more tokens a turn of the wheel shows; browsers report a trackpad's pinch as one with Ctrl held. */
export function wheelZoom(pixels: number, isPinch: boolean): number {
  return Math.exp(pixels * (isPinch ? PINCH_ZOOM : WHEEL_ZOOM));
}

export function panTokens(window: TokenWindow, byTokens: number, totalTokens: number): TokenWindow {
  return clampTokens({ start: window.start + byTokens, end: window.end + byTokens }, totalTokens);
}

/** A window around a span with a quarter of its width as margin on each side. */
export function focusTokens(start: number, end: number, totalTokens: number): TokenWindow {
  const margin = Math.max((end - start) * 0.75, 8);
  return clampTokens({ start: start - margin, end: end + margin }, totalTokens);
}

export function tokenToX(token: number, window: TokenWindow, width: number): number {
  return ((token - window.start) / (window.end - window.start)) * width;
}

export function xToToken(x: number, window: TokenWindow, width: number): number {
  return window.start + (x / width) * (window.end - window.start);
}
