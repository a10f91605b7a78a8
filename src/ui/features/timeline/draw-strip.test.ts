import { describe, expect, it } from 'vitest';
import { K } from '../../../core/tree/ids.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { recordingSurface } from '../../widgets/testing/recording-surface.ts';
import { drawStrip } from './draw-strip.ts';
import type { Palette } from '../../view/palette.ts';
import { slotOffsets } from './slots.ts';

const palette = {
  text: 'text',
  empty: 'empty',
  lod: ['raw', 'one', 'two', 'three', 'four'],
} as unknown as Palette;
const WIDTH = 128;

/** A page, its gists one slot wide each, and a raw block of 32 slots; one slot is `WIDTH / budgetTokens` wide. */
const entries: LayoutEntry[] = [
  [2, 0, 1024],
  ...Array.from({ length: 8 }, (_, i): LayoutEntry => [1, 1024 + i * K, 1024 + (i + 1) * K]),
  [0, 1280, 1312],
];

function draw(budgetTokens: number, highlight: (index: number) => number): readonly string[] {
  const { surface, calls } = recordingSurface();
  const offsets = slotOffsets(entries);
  drawStrip(surface, {
    entries,
    intervals: entries.map((_, i) => ({ from: offsets[i]!, to: offsets[i + 1]! })),
    budgetTokens,
    width: WIDTH,
    stripHeight: 40,
    ribbonHeight: 0,
    axis: { window: { start: 0, end: 1312 }, left: 0, width: WIDTH },
    highlight,
    palette,
  });
  return calls;
}

const outlines = (calls: readonly string[]) => calls.filter((call) => call.startsWith('strokeRect'));

describe('the working context strip', () => {
  it('draws every entry as wide as its slots, and the target', () => {
    expect(draw(64, () => 0)).toMatchInlineSnapshot(`
      [
        "fillRect empty 0 0 128 40",
        "fill two",
        "fill one",
        "fill raw",
        "fillRect two 0 0 2 40",
        "fillRect one 2 0 2 40",
        "fillRect one 4 0 2 40",
        "fillRect one 6 0 2 40",
        "fillRect one 8 0 2 40",
        "fillRect one 10 0 2 40",
        "fillRect one 12 0 2 40",
        "fillRect one 14 0 2 40",
        "fillRect one 16 0 2 40",
        "fillRect raw 18 0 63 40",
        "fillRect text 102 0 1 4",
        "fillRect text 102 36 1 4",
      ]
    `);
  });

  it('gives narrow neighbours one outline, and wide ones their own', () => {
    expect(outlines(draw(64, (i) => (i > 2 && i !== 6 ? 0.8 : 0)))).toMatchInlineSnapshot(`
      [
        "strokeRect text 7 1 4 38",
        "strokeRect text 15 1 2 38",
        "strokeRect text 19 1 62 38",
      ]
    `);
    expect(outlines(draw(16, (i) => (i < 3 ? 0.8 : 0)))).toHaveLength(3);
  });

  it('keeps apart what is outlined to different degrees', () => {
    expect(outlines(draw(64, (i) => (i < 3 ? i / 3 : 0)))).toHaveLength(2);
  });
});
