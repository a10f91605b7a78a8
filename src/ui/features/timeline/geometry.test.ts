import { describe, expect, it } from 'vitest';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { entryAtToken } from '../../model/entry-search.ts';
import { entryAtX } from './hit.ts';
import { mergeRuns } from '../../model/merge-runs.ts';
import { entryAtSlot, morphFrom, slotAtToken, slotOffsets } from './slots.ts';
import {
  clampSteps,
  fitSteps,
  followSteps,
  revealStep,
  scrollRows,
  visibleRows,
  yToStep,
  zoomSteps,
} from '../../model/step-axis.ts';
import {
  clampTokens,
  fitTokens,
  focusTokens,
  panTokens,
  tokenToX,
  xToToken,
  zoomTokens,
} from '../../model/token-axis.ts';

describe('token axis', () => {
  it('keeps the anchor in place while zooming, down to one token', () => {
    const window = fitTokens(40_000);
    const zoomed = zoomTokens(window, 0.1, 10_000, 40_000);
    expect(zoomed.end - zoomed.start).toBeCloseTo(4000);
    expect(tokenToX(10_000, zoomed, 800)).toBeCloseTo(tokenToX(10_000, window, 800));
    const deepest = zoomTokens(window, 1e-9, 10_000, 40_000);
    expect(deepest.end - deepest.start).toBe(1);
  });

  it('never leaves the history', () => {
    expect(clampTokens({ start: -50, end: 50 }, 1000)).toEqual({ start: 0, end: 100 });
    expect(clampTokens({ start: 950, end: 1050 }, 1000)).toEqual({ start: 900, end: 1000 });
    expect(zoomTokens({ start: 0, end: 10 }, 1e9, 5, 1000)).toEqual({ start: 0, end: 1000 });
    expect(panTokens({ start: 10, end: 20 }, -100, 1000)).toEqual({ start: 0, end: 10 });
    expect(fitTokens(0).end).toBeGreaterThan(0);
  });

  it('inverts and focuses', () => {
    const window = { start: 100, end: 300 };
    expect(xToToken(tokenToX(170, window, 640), window, 640)).toBeCloseTo(170);
    const focused = focusTokens(1024, 2048, 40_000);
    expect(focused.start).toBeLessThan(1024);
    expect(focused.end).toBeGreaterThan(2048);
  });
});

describe('step axis', () => {
  it('bounds the rows by the height, not by the run', () => {
    const rows = visibleRows(fitSteps(100_000, 400), 100_000, 400);
    expect(rows).toHaveLength(400);
    expect(rows.at(-1)!.index).toBe(99_999);
    expect(new Set(rows.map((row) => row.index)).size).toBe(400);
  });

  it('asks for the same steps again while panning and zooming a little', () => {
    const shown = (window: { top: number; rowHeight: number }) =>
      visibleRows(window, 100_000, 400).map(({ index }) => index);
    const asked = new Set<number>();
    for (let top = 10_000; top < 12_000; top += 13.7) {
      for (const index of shown({ top, rowHeight: 1 / 100 })) asked.add(index);
    }
    expect(asked.size).toBeLessThanOrEqual(42_000 / 64 + 2);
    expect(shown({ top: 10_000, rowHeight: 1 / 90 }).every((index) => index % 64 === 0)).toBe(true);
    const indices = shown({ top: 10_000, rowHeight: 1 / 100 });
    for (let i = 1; i < indices.length; i++) {
      expect(indices[i]!).toBeGreaterThan(indices[i - 1]!);
    }
  });

  it('tiles whole rows without holes', () => {
    const rows = visibleRows({ top: 2.5, rowHeight: 4.3 }, 50, 120);
    for (let i = 1; i < rows.length; i++) expect(rows[i]!.y).toBe(rows[i - 1]!.y + rows[i - 1]!.height);
    expect(rows[0]!.index).toBe(2);
  });

  it('moves all rows alike when scrolled, so that few have to be drawn', () => {
    for (const rowHeight of [1, 1.37, 3, 7.7]) {
      let window = clampSteps({ top: 500.3, rowHeight }, 10_000, 400);
      for (let index = 900; index < 1000; index += 10) {
        const before = visibleRows(window, 10_000, 400);
        window = revealStep(window, index, 10_000, 400);
        const scrolled = scrollRows(before, visibleRows(window, 10_000, 400), 400);
        if (index > 900) expect(scrolled!.rows.length).toBeLessThanOrEqual(12);
      }
    }
    const rows = visibleRows({ top: 0, rowHeight: 4 }, 100, 400);
    expect(scrollRows(rows, visibleRows({ top: 0, rowHeight: 4.1 }, 100, 400), 400)).toBeNull();
  });

  it('follows the newest step at the bottom', () => {
    const window = followSteps(1000, 300);
    expect(yToStep(299, window, 1000)).toBe(999);
    expect(yToStep(301, window, 1000)).toBeNull();
    expect(followSteps(3, 300).top).toBe(0);
  });

  it('zooms about a step and reveals one out of view', () => {
    const window = { top: 500, rowHeight: 4 };
    const zoomed = zoomSteps(window, 2, 100, 1000, 300);
    expect(zoomed.top + 100 / zoomed.rowHeight).toBeCloseTo(525);
    const revealed = revealStep(window, 10, 1000, 300);
    expect(revealed.top).toBeLessThanOrEqual(10);
    expect(revealStep(window, 520, 1000, 300)).toBe(window);
    expect(clampSteps({ top: -5, rowHeight: 0.01 }, 100, 300).top).toBe(0);
  });
});

const layout: LayoutEntry[] = [
  [2, 0, 1024],
  [1, 1024, 1056],
  [0, 1056, 1088],
  [1, 1088, 1120],
  [0, 1120, 1130],
];

describe('runs', () => {
  it('merges what is narrower than a pixel and keeps detail visible', () => {
    const gists: LayoutEntry[] = Array.from({ length: 320 }, (_, i) => [1, i * 32, (i + 1) * 32]);
    expect(mergeRuns(gists, { start: 0, end: 10_240 }, 300)[1]).toEqual([{ x: 0, width: 300 }]);
    const runs = mergeRuns(layout, { start: 0, end: 113_000 }, 100);
    expect(runs[0]![0]!.width).toBeGreaterThanOrEqual(1);
    expect(runs.flat().length).toBe(3);
  });

  it('separates what is wide and cuts at the window', () => {
    const runs = mergeRuns(layout, { start: 1040, end: 1120 }, 800);
    expect(runs[2]).toEqual([]);
    expect(runs[1]).toEqual([
      { x: 0, width: 159 },
      { x: 480, width: 319 },
    ]);
    expect(runs[0]).toEqual([{ x: 160, width: 319 }]);
  });
});

describe('hit testing', () => {
  it('finds the entry of a token', () => {
    expect(entryAtToken(layout, 0)).toBe(0);
    expect(entryAtToken(layout, 1056)).toBe(2);
    expect(entryAtToken(layout, 1130)).toBe(-1);
  });

  it('prefers a sub-pixel raw block near the pointer', () => {
    expect(entryAtX(layout, 60, { start: 0, end: 1130 }, 100)).toBe(0);
    expect(layout[entryAtX(layout, 92.5, { start: 0, end: 1130 }, 100)]![0]).toBe(0);
    expect(entryAtX(layout, 50, { start: 1030, end: 1050 }, 100)).toBe(1);
  });
});

describe('slots', () => {
  it('places entries by cost and finds them back', () => {
    const offsets = slotOffsets(layout);
    expect([...offsets]).toEqual([0, 1, 2, 34, 35, 45]);
    expect(slotAtToken(layout, offsets, 512)).toBeCloseTo(0.5);
    expect(slotAtToken(layout, offsets, 1072)).toBe(18);
    expect(slotAtToken(layout, offsets, 9999)).toBe(45);
    expect(entryAtSlot(offsets, 33.9)).toBe(2);
    expect(entryAtSlot(offsets, 45)).toBe(-1);
  });

  it('lets children start inside their parent and parents as wide as their children', () => {
    const before: LayoutEntry[] = [
      [1, 0, 32],
      [0, 32, 64],
    ];
    const after: LayoutEntry[] = [
      [0, 0, 32],
      [1, 32, 64],
      [0, 64, 70],
    ];
    expect(morphFrom(before, after)).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 33 },
      { from: 33, to: 33 },
    ]);
  });
});
