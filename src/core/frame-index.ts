/** Seeks to any refocus step of a trace: keyframes bound the work, so playback of 100,000 frames stays smooth. */
import { applyLayoutFrame } from './layout-delta.ts';
import type { LayoutEntry, TelemetryEventOf } from './telemetry.ts';

export type RefocusEvent = TelemetryEventOf<'refocus'>;

/** At most this many deltas are applied for one seek. */
export const KEYFRAME_INTERVAL = 64;

/** An append-only list of refocus events with the layout of each. */
export class FrameIndex {
  private readonly frames: RefocusEvent[] = [];
  /** Frames whose layout is known whole, ascending. */
  private readonly keyPositions: number[] = [];
  private readonly keyLayouts: (readonly LayoutEntry[])[] = [];
  private newest: readonly LayoutEntry[] = [];
  private lastSeek = { position: -1, layout: [] as readonly LayoutEntry[] };

  constructor(events: Iterable<RefocusEvent> = []) {
    for (const event of events) this.append(event);
  }

  get length(): number {
    return this.frames.length;
  }

  /** @throws {LayoutDeltaError} if the delta does not fit the frame before; nothing is appended then. */
  append(event: RefocusEvent): void {
    const layout = applyLayoutFrame(this.newest, event.layout);
    const position = this.frames.length;
    const lastKey = this.keyPositions.at(-1);
    if (
      lastKey === undefined ||
      event.layout.kind === 'keyframe' ||
      position - lastKey >= KEYFRAME_INTERVAL
    ) {
      this.keyPositions.push(position);
      this.keyLayouts.push(layout);
    }
    this.frames.push(event);
    this.newest = layout;
  }

  /** The frame at a position 0..length-1. @throws {RangeError} */
  frameAt(position: number): RefocusEvent {
    const frame = this.frames[position];
    if (frame === undefined) throw new RangeError(`There are ${this.frames.length} frames, not ${position}.`);
    return frame;
  }

  /** Position of the newest frame whose step is at most `step`, or -1. O(log n). */
  positionOfStep(step: number): number {
    return lastAtMost(this.frames.length, step, (i) => this.frames[i]!.step);
  }

  /** The layout after the frame at a position; borrowed. At most `KEYFRAME_INTERVAL` deltas, one when stepping on. */
  layoutAt(position: number): readonly LayoutEntry[] {
    this.frameAt(position);
    if (position === this.lastSeek.position) return this.lastSeek.layout;
    const key = lastAtMost(this.keyPositions.length, position, (i) => this.keyPositions[i]!);
    let at = this.keyPositions[key]!;
    let layout = this.keyLayouts[key]!;
    if (this.lastSeek.position > at && this.lastSeek.position < position) {
      at = this.lastSeek.position;
      layout = this.lastSeek.layout;
    }
    while (at < position) {
      at++;
      layout = applyLayoutFrame(layout, this.frames[at]!.layout);
    }
    this.lastSeek = { position, layout };
    return layout;
  }
}

/** Largest index in 0..count-1 whose value is at most `limit`, or -1; values ascend. */
function lastAtMost(count: number, limit: number, valueAt: (index: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (valueAt(middle) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
