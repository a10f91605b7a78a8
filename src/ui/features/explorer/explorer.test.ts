import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LevelCells, TreeCells } from '../../../runtime/engine/protocol/protocol.ts';
import { recordingSurface } from '../../widgets/testing/recording-surface.ts';
import type { Palette } from '../../view/palette.ts';
import { type IcicleScene, drawIcicle } from './draw-icicle.ts';
import { cellBoxes, heatOf, heatScale, icicleRows, nodeAtPoint } from './icicle.ts';
import { childrenOf, nodeOf, nodesAt, parentOf, siblingsOf, walk } from './tree-walk.ts';

const MILLION = { tokenCount: 1_000_000, maxLod: 4 };

function levelOf(level: number, nodeCount: number, stride = 1, accesses: readonly number[] = []): LevelCells {
  const count = Math.ceil(nodeCount / stride);
  return {
    level,
    nodeCount,
    firstIndex: 0,
    stride,
    values: Float32Array.from({ length: count }, (_, i) => accesses[i] ?? 0),
    gistVersions: new Uint32Array(count).fill(1),
    flags: new Uint8Array(count),
    matches: null,
  };
}

describe('walking the tree', () => {
  it('goes up, down and sideways, and stays where there is nothing', () => {
    const gist = nodeOf(2, 3, MILLION)!;
    expect(gist).toEqual({ lod: 2, start: 3072, end: 4096 });
    expect(walk(gist, 'child', MILLION)).toEqual({ lod: 1, start: 3072, end: 3104 });
    expect(walk(gist, 'parent', MILLION)).toEqual({ lod: 3, start: 0, end: 32_768 });
    expect(walk(gist, 'next', MILLION).start).toBe(4096);
    expect(walk(gist, 'last', MILLION)).toEqual({ lod: 2, start: 975 * 1024, end: 976 * 1024 });
    const top = nodeOf(3, 0, MILLION)!;
    expect(walk(top, 'parent', MILLION)).toBe(top);
    expect(walk(top, 'previous', MILLION)).toBe(top);
  });

  it('knows the raw block below a gist, the open tail, and nodes without a parent', () => {
    const shape = { tokenCount: 1024 + 40, maxLod: 4 };
    expect(childrenOf({ lod: 1, start: 64, end: 96 }, shape)).toEqual([{ lod: 0, start: 64, end: 96 }]);
    expect(nodeOf(0, 33, shape)).toEqual({ lod: 0, start: 1056, end: 1064 });
    expect(siblingsOf({ lod: 1, start: 1024, end: 1056 }, shape)).toEqual([
      { lod: 1, start: 1024, end: 1056 },
    ]);
    expect(siblingsOf({ lod: 0, start: 1056, end: 1064 }, shape)).toHaveLength(1);
  });

  it('makes every node a child of its parent', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_000_000 }),
        fc.nat(4),
        fc.nat(100_000),
        (tokenCount, lod, at) => {
          const shape = { tokenCount, maxLod: 4 };
          const count = nodesAt(lod, shape);
          const node = nodeOf(lod, at % Math.max(1, count), shape);
          fc.pre(node !== null);
          const parent = parentOf(node, shape);
          if (parent) expect(childrenOf(parent, shape)).toContainEqual(node);
          expect(siblingsOf(node, shape)).toContainEqual(node);
        },
      ),
    );
  });
});

describe('icicle geometry', () => {
  it('stacks the levels that have nodes, coarsest on top', () => {
    const rows = icicleRows(MILLION, 320);
    expect(rows.map(({ lod, y }) => [lod, y])).toEqual([
      [3, 0],
      [2, 80],
      [1, 160],
      [0, 240],
    ]);
    expect(icicleRows({ tokenCount: 0, maxLod: 4 }, 300)).toEqual([]);
  });

  it('draws at most one box a pixel, inside the plot, whatever the zoom', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_000 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 1500 }),
        (start, span, width) => {
          const boxes = cellBoxes(levelOf(1, 31_250), 1_000_000, { start, end: start + span }, width);
          const fits = boxes.every(({ x, width: wide }, i) => {
            const free = i === 0 ? 0 : boxes[i - 1]!.x + boxes[i - 1]!.width;
            return x >= free && wide >= 1 && x + wide <= width;
          });
          expect(fits).toBe(true);
        },
      ),
    );
  });

  it('finds the node under a point', () => {
    const rows = icicleRows(MILLION, 320);
    const window = { start: 0, end: 32_768 };
    const at = (x: number, y: number) => nodeAtPoint(x, y, rows, MILLION, window, 1024);
    expect(at(100, 90)).toEqual({ lod: 2, start: 3072, end: 4096 });
    expect(at(100, 170)).toEqual({ lod: 1, start: 3200, end: 3232 });
    expect(at(100, 78)).toBeNull();
    expect(at(-1, 90)).toBeNull();
  });

  it('measures heat against the hottest cell', () => {
    const heats = (measure: 'accessCount' | 'sensitivity' | 'lastAccessStep', values: readonly number[]) => {
      const level = { ...levelOf(1, values.length), values: Float32Array.from(values) };
      const cells: TreeCells = { ...MILLION, step: 40, gistVersion: 1, measure, levels: [level] };
      const scale = heatScale(cells);
      return values.map((value) => Number(heatOf(value, measure, scale).toFixed(2)));
    };
    expect(heats('accessCount', [0, 1, 7])).toEqual([0, 0.33, 1]);
    expect(heats('sensitivity', [NaN, -2, 1])).toEqual([0, 1, 0.5]);
    expect(heats('lastAccessStep', [NaN, 0, 20])).toEqual([0, 0.05, 0.5]);
  });
});

describe('icicle drawing', () => {
  const palette = {
    lod: ['raw', 'lod1', 'lod2', 'lod3', 'lod4'],
    empty: 'empty',
    text: 'text',
    accent: 'accent',
    evict: 'evict',
    muted: 'muted',
    glyph: 'glyph',
    glyphEdge: 'edge',
    background: 'ground',
  } as unknown as Palette;
  const cells: TreeCells = {
    tokenCount: 64,
    step: 4,
    gistVersion: 2,
    maxLod: 4,
    measure: 'accessCount',
    levels: [levelOf(0, 2), levelOf(1, 2)],
  };
  const draw = (changes: Partial<IcicleScene>) => {
    const { surface, calls } = recordingSurface();
    drawIcicle(surface, {
      cells,
      rows: icicleRows(cells, 100),
      window: { start: 0, end: 64 },
      width: 128,
      entries: [],
      marks: [],
      hits: [],
      selection: null,
      palette,
      ...changes,
    });
    return calls;
  };

  it('draws a box a node, and underlines gists of another GistNet', () => {
    expect(draw({})).toEqual([
      'fillRect empty 0 0 128 46',
      'fillRect lod1 0 0 63 46',
      'fillRect evict 0 39 63 2',
      'fillRect lod1 64 0 64 46',
      'fillRect evict 64 39 64 2',
      'fillRect empty 0 50 128 46',
      'fillRect raw 0 50 63 46',
      'fillRect raw 64 50 64 46',
    ]);
  });

  it('bars what the shown step holds, marks hits through all levels, and shows marks as shapes', () => {
    const block = { lod: 1, start: 32, end: 64 };
    const calls = draw({
      entries: [[1, 0, 32]],
      hits: [
        { start: 40, end: 44 },
        { start: 32, end: 64, lod: 1 },
      ],
      marks: [
        { ...block, kind: 'pin' },
        { ...block, kind: 'forbid' },
      ],
    });
    expect(calls.slice(8)).toEqual([
      'fillRect text 0 42 63 4',
      'fillRect accent 80 0 8 96',
      'fillRect accent 64 0 64 46',
      'fillRect accent 64 0 64 4',
      'fill glyph',
      'stroke edge',
      'fillRect evict 108 6 6 2',
      'stroke evict',
    ]);
  });
});
