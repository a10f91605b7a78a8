import { describe, expect, it } from 'vitest';
import { FrameIndex, KEYFRAME_INTERVAL } from './frame-index.ts';
import type { RefocusEvent } from './frame-index.ts';
import { LayoutDeltaError, applyLayoutFrame, keyframe, layoutDelta } from './layout-delta.ts';
import { hashUint32 } from './rng.ts';
import type { LayoutEntry } from './telemetry.ts';

/** Frame i: i + 1 blocks whose LODs are random. */
function layoutOfFrame(i: number): LayoutEntry[] {
  return Array.from({ length: 1 + (i % 50) }, (_, block): LayoutEntry => [
    hashUint32(i >> 2, block) & 1,
    block * 32,
    block * 32 + 32,
  ]);
}

function eventOf(i: number, layout: RefocusEvent['layout']): RefocusEvent {
  return {
    type: 'refocus',
    step: 2 * i,
    timeMs: i,
    cursor: 0,
    policy: 'random',
    windowStart: 0,
    usedTokens: 0,
    budgetTokens: 64,
    entryCount: 0,
    layout,
    scores: [],
    actions: [],
    swapRate: 0,
    utilisation: 0,
    meanResidency: 0,
    coherence: null,
    trigger: 'block',
  };
}

function indexOf(frames: number): FrameIndex {
  const index = new FrameIndex();
  for (let i = 0; i < frames; i++) {
    index.append(
      eventOf(i, i === 0 ? keyframe(layoutOfFrame(0)) : layoutDelta(layoutOfFrame(i - 1), layoutOfFrame(i))),
    );
  }
  return index;
}

describe('FrameIndex', () => {
  const index = indexOf(500);

  it('gives every layout, in any order of asking', () => {
    for (const position of [0, 1, 2, 3, 499, 63, 64, 65, 300, 299, 301, 10])
      expect(index.layoutAt(position)).toEqual(layoutOfFrame(position));
  });

  it('finds the newest frame at or before a step', () => {
    expect([0, 1, 2, 997, 998, 5000, -1].map((step) => index.positionOfStep(step))).toEqual([
      0, 0, 1, 498, 499, 499, -1,
    ]);
  });

  it('stays usable after a delta that does not fit', () => {
    const bad = eventOf(500, { kind: 'delta', splices: [{ at: 60, remove: 1, insert: [] }] });
    const own = indexOf(3);
    expect(() => {
      own.append(bad);
    }).toThrow(LayoutDeltaError);
    expect(own.length).toBe(3);
    expect(() => own.layoutAt(3)).toThrow(RangeError);
  });

  it('seeks in 100,000 frames without replaying them', () => {
    const long = new FrameIndex();
    for (let i = 0; i < 100_000; i++) {
      long.append(
        eventOf(
          i,
          i === 0
            ? keyframe([[0, 0, 32]])
            : { kind: 'delta', splices: [{ at: 0, remove: 1, insert: [[0, 32 * i, 32 * i + 32]] }] },
        ),
      );
    }
    let reads = 0;
    let touched = 0;
    const frames = (long as unknown as { frames: RefocusEvent[] }).frames;
    const counted = frames.map((frame) => ({
      ...frame,
      get step() {
        touched++;
        return frame.step;
      },
      get layout() {
        reads++;
        return frame.layout;
      },
    }));
    frames.splice(0, frames.length, ...counted.slice(0, 50_000));
    frames.push(...counted.slice(50_000));
    expect(long.layoutAt(77_777)).toEqual([[0, 32 * 77_777, 32 * 77_777 + 32]]);
    expect(reads).toBeLessThanOrEqual(KEYFRAME_INTERVAL);
    reads = 0;
    long.layoutAt(77_778);
    expect(reads).toBe(1);
    touched = 0;
    expect(long.positionOfStep(2 * 12_345)).toBe(12_345);
    expect(touched).toBeLessThanOrEqual(Math.ceil(Math.log2(100_000)) + 1);
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
