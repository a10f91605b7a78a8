import { describe, expect, it, vi } from 'vitest';
import { FrameIndex, KEYFRAME_INTERVAL } from './frame-index.ts';
import { LayoutDeltaError, applyLayoutFrame, keyframe, layoutDelta } from './layout-delta.ts';
import { hashUint32 } from '../../base/rng.ts';
import type { LayoutEntry } from './telemetry.ts';

/** Frame i: i + 1 blocks whose LODs are random. */
function layoutOfFrame(i: number): LayoutEntry[] {
  return Array.from({ length: 1 + (i % 50) }, (_, block): LayoutEntry => [
    hashUint32(i >> 2, block) & 1,
    block * 32,
    block * 32 + 32,
  ]);
}

function indexOf(frames: number): FrameIndex {
  const index = new FrameIndex();
  for (let i = 0; i < frames; i++) {
    index.append(i === 0 ? keyframe(layoutOfFrame(0)) : layoutDelta(layoutOfFrame(i - 1), layoutOfFrame(i)));
  }
  return index;
}

describe('FrameIndex', () => {
  const index = indexOf(500);

  it('gives every layout, in any order of asking', () => {
    for (const position of [0, 1, 2, 3, 499, 63, 64, 65, 300, 299, 301, 10])
      expect(index.layoutAt(position)).toEqual(layoutOfFrame(position));
  });

  it('stays usable after a delta that does not fit', () => {
    const own = indexOf(3);
    for (const splice of [
      { at: 60, remove: 1, insert: [] },
      { at: 0, remove: 0, insert: [[0, 0, 2 ** 32] satisfies LayoutEntry] },
    ]) {
      expect(() => {
        own.append({ kind: 'delta', splices: [splice] });
      }).toThrow(LayoutDeltaError);
    }
    expect(own.length).toBe(3);
    expect(own.layoutAt(2)).toEqual(layoutOfFrame(2));
    expect(() => own.layoutAt(3)).toThrow(RangeError);
  });

  it('seeks in 100,000 frames without replaying them, in a few bytes a frame', () => {
    const long = new FrameIndex();
    for (let i = 0; i < 100_000; i++) {
      long.append(
        i === 0
          ? keyframe([[0, 0, 32]])
          : { kind: 'delta', splices: [{ at: 0, remove: 1, insert: [[0, 32 * i, 32 * i + 32]] }] },
      );
    }
    const decoded = vi.spyOn(long as unknown as { deltaAt: (position: number) => unknown }, 'deltaAt');
    expect(long.layoutAt(77_777)).toEqual([[0, 32 * 77_777, 32 * 77_777 + 32]]);
    expect(decoded.mock.calls.length).toBeLessThanOrEqual(KEYFRAME_INTERVAL);
    decoded.mockClear();
    long.layoutAt(77_778);
    expect(decoded).toHaveBeenCalledTimes(1);
    expect(long.allocatedBytes / 100_000).toBeLessThan(50);
  });
});

describe('layout frames', () => {
  it('store only what differs', () => {
    const before: LayoutEntry[] = [
      [2, 0, 1024],
      [1, 1024, 1056],
      [0, 1056, 1088],
    ];
    const after: LayoutEntry[] = [
      [2, 0, 1024],
      [0, 1024, 1056],
      [0, 1056, 1088],
      [0, 1088, 1100],
    ];
    expect(layoutDelta(before, after)).toEqual({
      kind: 'delta',
      splices: [
        { at: 1, remove: 1, insert: [[0, 1024, 1056]] },
        { at: 3, remove: 0, insert: [[0, 1088, 1100]] },
      ],
    });
    expect(applyLayoutFrame(before, { kind: 'delta', splices: [] })).toBe(before);
  });

  it('refuse splices out of range or out of order', () => {
    const before: LayoutEntry[] = [
      [0, 0, 32],
      [0, 32, 64],
    ];
    const splices = [
      { at: 1, remove: 1, insert: [] },
      { at: 0, remove: 1, insert: [] },
    ];
    expect(() => applyLayoutFrame(before, { kind: 'delta', splices })).toThrow(LayoutDeltaError);
    expect(() =>
      applyLayoutFrame(before, { kind: 'delta', splices: [{ at: 1, remove: 2, insert: [] }] }),
    ).toThrow(LayoutDeltaError);
  });
});
