/** Where the explorer's levels and cells lie: coarsest level on top, tokens from left to right. Pure. */
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { LevelCells, TreeCells } from '../../../runtime/engine/protocol/protocol.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { type TokenWindow, tokenToX, xToToken } from '../../model/token-axis.ts';
import { type TreeShape, coarsestLevel, nodeAtToken } from './tree-walk.ts';

export interface IcicleRow {
  readonly lod: number;
  readonly y: number;
  readonly height: number;
}

const ROW_GAP = 4;
const MOST_ROW_HEIGHT = 108;

/** One row for each level that has nodes, coarsest first. */
export function icicleRows(shape: TreeShape, height: number): readonly IcicleRow[] {
  const coarsest = coarsestLevel(shape);
  const count = coarsest + 1;
  const pitch = Math.min(MOST_ROW_HEIGHT, height / Math.max(1, count));
  return Array.from({ length: count }, (_, i) => ({
    lod: coarsest - i,
    y: Math.round(i * pitch),
    height: Math.max(1, Math.round((i + 1) * pitch) - Math.round(i * pitch) - ROW_GAP),
  }));
}

/** A cell as it is drawn: a node, or neighbours that are too narrow to tell apart. */
interface CellBox {
  /** Index into the level's arrays. */
  readonly cell: number;
  readonly x: number;
  readonly width: number;
}

/**
 * The boxes of a level's cells, clipped to `0..width`. A cell that would end inside the last drawn pixel is
 * skipped, so that at most one box a pixel is drawn whatever the zoom.
 */
export function cellBoxes(
  {
    level,
    firstIndex,
    stride,
    values,
    nodeCount,
  }: Pick<LevelCells, 'level' | 'firstIndex' | 'stride' | 'values' | 'nodeCount'>,
  tokenCount: number,
  window: TokenWindow,
  width: number,
): readonly CellBox[] {
  const span = tokensPerEntry(level);
  const boxes: CellBox[] = [];
  let drawnTo = -1;
  const firstVisible = Math.floor((window.start / span - firstIndex) / stride);
  for (let cell = Math.max(0, firstVisible); cell < values.length; cell++) {
    const first = firstIndex + cell * stride;
    const last = Math.min(first + stride, nodeCount);
    const left = tokenToX(first * span, window, width);
    if (left >= width) break;
    const right = tokenToX(Math.min(last * span, tokenCount), window, width);
    if (right <= Math.max(0, drawnTo)) continue;
    const from = Math.max(0, Math.floor(left));
    const to = Math.min(width, Math.max(from + 1, Math.floor(right)));
    if (to <= drawnTo) continue;
    const x = Math.max(from, drawnTo);
    // A line of background between neighbours, where there is room for it.
    const gap = to - x >= 4 && to < width ? 1 : 0;
    boxes.push({ cell, x, width: to - x - gap });
    drawnTo = to;
  }
  return boxes;
}

/** The node under a point, or null. */
export function nodeAtPoint(
  x: number,
  y: number,
  rows: readonly IcicleRow[],
  shape: TreeShape,
  window: TokenWindow,
  width: number,
): BlockRef | null {
  const row = rows.find((each) => y >= each.y && y < each.y + each.height);
  if (!row || x < 0 || x >= width) return null;
  return nodeAtToken(row.lod, xToToken(x, window, width), shape);
}

/** What the hottest cell of the drawn levels has: the scale of `heatOf`. */
export function heatScale({ levels, measure, step }: TreeCells): number {
  if (measure === 'lastAccessStep' || measure === 'createdAtStep') return Math.max(1, step);
  let most = 0;
  for (const { values } of levels) {
    for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  }
  return most;
}

/** Heat of a cell that has a value, however small: it is told from one that has none. */
const LEAST = 0.05;

/** 0 (none, or unmeasured) to 1 (hottest); counts on a log scale. */
export function heatOf(value: number, measure: NodeMeasure, scale: number): number {
  if (scale <= 0 || Number.isNaN(value)) return 0;
  if (!isCount(measure)) return Math.max(LEAST, Math.abs(value) / scale);
  return Math.log1p(value) / Math.log1p(scale);
}

function isCount(measure: NodeMeasure): boolean {
  return (
    measure === 'accessCount' ||
    measure === 'expansions' ||
    measure === 'collapses' ||
    measure === 'residency'
  );
}
