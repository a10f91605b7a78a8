/** Draws over the timeline what a generated token attended to: one bar a block, as high as its share. */
import type { FocusedBlock, TokenFocus } from '../../model/token-focus.ts';
import type { MinimapScene } from './draw-minimap.ts';
import type { StripScene } from './draw-strip.ts';
import type { TimelineLayout } from './frame-layout.ts';
import type { Palette } from '../../view/palette.ts';
import { type StepWindow, stepToY } from '../../model/step-axis.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { type TokenWindow, fitTokens, tokenToX } from '../../model/token-axis.ts';

/** A block's bar, in pixels from the plot's left edge; `height` in 0..1 of the highest. */
interface ShareBar {
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

const NARROWEST = 2;
/** Room for the bars over a row, in pixels. */
const ROW_BARS = 34;
/** The smallest share that is listed still shows. */
const LOWEST = 0.08;
/** Where attention was not recorded, blocks in focus are marked alike. */
const UNKNOWN = 0.35;

/** Bars along the token axis; blocks outside the window have none. */
function barsAlongAxis(
  blocks: readonly FocusedBlock[],
  window: TokenWindow,
  width: number,
): readonly ShareBar[] {
  const visible = blocks.filter(({ start, end }) => end > window.start && start < window.end);
  return barsOf(visible, blocks, ({ start, end }) => {
    return [Math.max(0, tokenToX(start, window, width)), Math.min(width, tokenToX(end, window, width))];
  });
}

/** Bars over the strip's boxes, which are as wide as their slots. What came after the step lies behind them. */
function barsAlongSlots(
  blocks: readonly FocusedBlock[],
  entries: readonly (readonly [lod: number, start: number, end: number])[],
  intervals: readonly { readonly from: number; readonly to: number }[],
  toX: (slot: number) => number,
): readonly ShareBar[] {
  const at = new Map(entries.map(([, start], i) => [start, i]));
  const end = { token: entries.at(-1)?.[2] ?? 0, slot: intervals.at(-1)?.to ?? 0 };
  const slotsOf = (block: FocusedBlock): readonly [number, number] | null => {
    const interval = intervals[at.get(block.start) ?? -1];
    const behind = end.slot + Math.max(0, block.end - end.token);
    if (interval) return [interval.from, block.end > end.token ? behind : interval.to];
    return block.start >= end.token ? [end.slot + block.start - end.token, behind] : null;
  };
  const shown = blocks.filter((block) => slotsOf(block) !== null);
  return barsOf(shown, blocks, (block) => {
    const [from, to] = slotsOf(block)!;
    return [toX(from), toX(to)];
  });
}

/** Over the row of the step that the token belongs to; under it where there is no room above. */
export function drawSharesOverRow(
  surface: DrawSurface,
  { blocks, index }: TokenFocus,
  scene: {
    readonly layout: TimelineLayout;
    readonly window: TokenWindow;
    readonly steps: StepWindow;
    readonly palette: Palette;
  },
): void {
  const { layout, window, steps, palette } = scene;
  const top = Math.round(stepToY(index, steps));
  const baseline = top >= ROW_BARS ? top : top + Math.max(2, Math.round(steps.rowHeight)) + ROW_BARS;
  const bars = barsAlongAxis(blocks, window, layout.matrixWidth);
  drawBars(surface, bars, { left: layout.left, baseline, height: ROW_BARS - 2 }, palette);
}

/** In the strip's boxes. */
export function drawSharesOnStrip(
  surface: DrawSurface,
  { blocks }: TokenFocus,
  scene: Pick<StripScene, 'entries' | 'intervals' | 'budgetTokens' | 'width' | 'stripHeight' | 'palette'>,
): void {
  const { entries, intervals, budgetTokens, width, stripHeight, palette } = scene;
  const bars = barsAlongSlots(blocks, entries, intervals, (slot) => (slot / budgetTokens) * width);
  drawBars(surface, bars, { left: 0, baseline: stripHeight, height: stripHeight - 2 }, palette);
}

/** In the overview of the whole history. */
export function drawSharesOnMinimap(
  surface: DrawSurface,
  { blocks }: TokenFocus,
  scene: Pick<MinimapScene, 'totalTokens' | 'width' | 'height' | 'palette'>,
): void {
  const { totalTokens, width, height, palette } = scene;
  const bars = barsAlongAxis(blocks, fitTokens(totalTokens), width);
  drawBars(surface, bars, { left: 0, baseline: height, height: height - 1 }, palette);
}

/** Bars stand on `baseline`, `height` pixels at most. */
function drawBars(
  surface: DrawSurface,
  bars: readonly ShareBar[],
  { left, baseline, height: highest }: { left: number; baseline: number; height: number },
  palette: Palette,
): void {
  for (const bar of bars) {
    const height = Math.max(2, bar.height * highest);
    const [x, y] = [left + bar.x, baseline - height];
    surface.fillStyle = palette.background;
    surface.fillRect(x - 1, y - 1, bar.width + 2, height + 1);
    surface.fillStyle = palette.text;
    surface.fillRect(x, y, bar.width, height);
  }
}

function barsOf(
  shown: readonly FocusedBlock[],
  all: readonly FocusedBlock[],
  extent: (block: FocusedBlock) => readonly [from: number, to: number],
): readonly ShareBar[] {
  const most = all.reduce((highest, { share }) => Math.max(highest, share ?? 0), 0);
  return shown.map((block) => {
    const [from, to] = extent(block);
    const height = block.share === null ? UNKNOWN : Math.max(LOWEST, block.share / most);
    return { x: from, width: Math.max(NARROWEST, to - from), height };
  });
}
