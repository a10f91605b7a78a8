import { describe, expect, it } from 'vitest';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { sampleRefocus } from '../../../core/testing/sample-events.ts';
import { Run } from '../../model/run.ts';
import { tokenFocus } from '../../model/token-focus.ts';
import { initialArrangement } from '../../model/tracks.ts';
import { METRIC_TRACKS } from './metric-tracks.ts';
import { recordingSurface } from '../../widgets/testing/recording-surface.ts';
import { drawSharesOnMinimap, drawSharesOnStrip, drawSharesOverRow } from './draw-shares.ts';
import { layoutTimeline } from './frame-layout.ts';
import type { Palette } from '../../view/palette.ts';

const palette = { text: 'text', background: 'edge' } as Palette;
const entries: LayoutEntry[] = [
  [2, 0, 1024],
  [1, 1024, 1056],
  [0, 1056, 1088],
];

const frame = sampleRefocus({
  step: 3,
  timeMs: 0,
  cursor: 1088,
  usedTokens: 34,
  entryCount: 3,
  layout: { kind: 'keyframe', entries },
  trigger: 'turn-end',
});
const decode = {
  type: 'decode',
  head: 0,
  step: 3,
  timeMs: 0,
  tokenId: 1,
  text: 'a',
  logProbability: 0,
  entropy: 0,
} as const;

function focusAt(tokenIndex: number) {
  const trace = new Run();
  trace.append([
    frame,
    { ...decode, index: 1090 },
    {
      ...decode,
      index: 1091,
      attention: {
        reading: 'mean',
        blocks: [
          [2, 0, 1024, 2000],
          [0, 1056, 1088, 4000],
          [0, 1088, 1091, 3900],
        ],
        rest: 100,
      },
    },
  ]);
  return tokenFocus(trace, tokenIndex);
}

describe('what a generated token was predicted from', () => {
  it('is what it attended to, where that was recorded', () => {
    expect(focusAt(1091)).toMatchObject({ step: 3, index: 0, reading: 'mean', rest: 0.01 });
    expect(focusAt(1091)!.blocks[1]).toEqual({ lod: 0, start: 1056, end: 1088, share: 0.4 });
  });

  it('is what stood raw, the newest tokens included, where it was not', () => {
    expect(focusAt(1090)).toMatchObject({
      reading: null,
      blocks: [
        { lod: 0, start: 1056, end: 1088, share: null },
        { lod: 0, start: 1088, end: 1090, share: null },
      ],
    });
    expect(focusAt(5)).toBeNull();
  });

  it('is drawn as bars, the highest for the largest share, where the block lies', () => {
    const bars = (draw: (surface: ReturnType<typeof recordingSurface>['surface']) => void) => {
      const { surface, calls } = recordingSurface();
      draw(surface);
      return calls.filter((call) => call.startsWith('fillRect text'));
    };
    const focus = focusAt(1091)!;
    const intervals = [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 2, to: 34 },
    ];
    const strip = { entries, intervals, budgetTokens: 64, width: 640, stripHeight: 42, palette };
    // The newest tokens came after the step: they lie behind its last box.
    expect(
      bars((surface) => {
        drawSharesOnStrip(surface, focus, strip);
      }),
    ).toEqual(['fillRect text 0 22 10 20', 'fillRect text 20 2 320 40', 'fillRect text 340 3 30 39']);
    const minimap = { totalTokens: 2000, width: 1000, height: 21, palette };
    expect(
      bars((surface) => {
        drawSharesOnMinimap(surface, focus, minimap);
      })[1],
    ).toBe('fillRect text 528 1 16 20');
    const layout = layoutTimeline(800, 400, {
      registered: METRIC_TRACKS,
      state: { arrangement: initialArrangement(METRIC_TRACKS), scrolled: 0 },
    });
    const row = { layout, window: { start: 1056, end: 1088 }, steps: { top: -10, rowHeight: 8 }, palette };
    expect(
      bars((surface) => {
        drawSharesOverRow(surface, focus, row);
      }),
    ).toEqual([`fillRect text ${layout.left} 48 ${layout.matrixWidth} 32`]);
  });
});
