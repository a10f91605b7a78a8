import { describe, expect, it } from 'vitest';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { sampleAction } from '../../../core/testing/sample-events.ts';
import type { Frame } from '../../model/frame.ts';
import { drawMatrix } from './draw-matrix.ts';
import { RowCache } from './row-cache.ts';
import type { Palette } from '../../view/palette.ts';
import { recordingSurface } from '../../widgets/testing/recording-surface.ts';

const palette = {
  lod: ['raw', 'lod1', 'lod2', 'lod3', 'lod4'],
  score: ['-4', '-3', '-2', '-1', '0', '+1', '+2', '+3', '+4'],
  glyph: 'glyph',
  glyphEdge: 'edge',
  evict: 'evict',
} as unknown as Palette;

const layout: LayoutEntry[] = [
  [1, 0, 32],
  [1, 32, 64],
  [0, 64, 96],
  [0, 96, 100],
];
const expand = sampleAction({ start: 64, end: 96 });
const run = {
  layoutAt: () => layout,
  scoredLayoutAt: () => layout,
  frameAt: () => ({ actions: [expand], scores: Float32Array.of(-1, 0, 1, 0) }) as unknown as Frame,
};

describe('matrix drawing', () => {
  it('fills coarse before fine, one rectangle per block that can be told apart', () => {
    const { surface, calls } = recordingSurface();
    const rows = [{ index: 0, y: 10, height: 4 }];
    drawMatrix(surface, {
      run,
      rows,
      window: { start: 0, end: 100 },
      width: 200,
      colourBy: 'lod',
      palette,
      cache: new RowCache(),
    });
    expect(calls).toEqual([
      'fillRect lod1 0 10 63 4',
      'fillRect lod1 64 10 63 4',
      'fillRect raw 128 10 63 4',
      'fillRect raw 192 10 7 4',
      'fillRect glyph 159 10 2 4',
    ]);
  });

  it('merges neighbours that cannot be told apart', () => {
    const { surface, calls } = recordingSurface();
    const rows = [{ index: 0, y: 0, height: 1 }];
    drawMatrix(surface, {
      run,
      rows,
      window: { start: 0, end: 1000 },
      width: 100,
      colourBy: 'lod',
      palette,
      cache: new RowCache(),
    });
    expect(calls.slice(0, 2)).toEqual(['fillRect lod1 0 0 6.4 1', 'fillRect raw 6.4 0 3.6 1']);
  });

  it('colours by score, weakest first', () => {
    const { surface, calls } = recordingSurface();
    const rows = [{ index: 0, y: 0, height: 10 }];
    drawMatrix(surface, {
      run,
      rows,
      window: { start: 0, end: 100 },
      width: 200,
      colourBy: 'score',
      palette,
      cache: new RowCache(),
    });
    expect(calls.filter((call) => call.startsWith('fillRect')).map((call) => call.split(' ')[1])).toEqual([
      '0',
      '0',
      '-4',
      '+4',
    ]);
    expect(calls.at(-1)).toBe('fill glyph');
  });
});
