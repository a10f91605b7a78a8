/** Seeks to the layout of any refocus of a trace: keyframes bound the work, packed columns the memory. */
import { ChunkedRows } from '../../base/chunked-array.ts';
import { type LayoutFrame, LayoutDeltaError, applyLayoutFrame } from './layout-delta.ts';
import type { Splice } from './layout-delta.ts';
import type { LayoutEntry, TelemetryEventOf } from './telemetry.ts';

export type RefocusEvent = TelemetryEventOf<'refocus'>;

/** At most this many deltas are applied for one seek. */
export const KEYFRAME_INTERVAL = 64;

/** Positions are kept in 32 bits. */
const MAX_POSITION = 2 ** 32 - 1;

const words = (cells: number) => new Uint32Array(cells);

/** An append-only list of layouts: about 12 bytes an entry that changed, and every 64th layout whole. */
export class FrameIndex {
  /** `[entries, 3]`: lod, start, end. */
  private readonly entries = new ChunkedRows(words, 3);
  /** `[splices, 3]`: at, remove, how many entries are inserted. */
  private readonly splices = new ChunkedRows(words, 3);
  /** `[frames, 2]`: its first splice, and the first entry that it inserts. */
  private readonly frames = new ChunkedRows(words, 2);
  /** Frames whose layout is stored whole, ascending, and where their entries begin and end. */
  private readonly keys: { readonly position: number; readonly start: number; readonly end: number }[] = [];
  private newest: readonly LayoutEntry[] = [];
  private lastSeek = { position: -1, layout: [] as readonly LayoutEntry[] };

  get length(): number {
    return this.frames.length;
  }

  /** Bytes that the layouts take, reserved ones included. */
  get allocatedBytes(): number {
    return this.entries.allocatedBytes + this.splices.allocatedBytes + this.frames.allocatedBytes;
  }

  /**
   * @throws {LayoutDeltaError} if the delta does not fit the frame before, or a position does not fit 32 bits;
   * nothing is appended then.
   */
  append(frame: LayoutFrame): void {
    const layout = applyLayoutFrame(this.newest, frame);
    checkPositions(frame);
    const position = this.length;
    this.frames.append([this.splices.length, this.entries.length]);
    const lastKey = this.keys.at(-1);
    const isKey =
      frame.kind === 'keyframe' || lastKey === undefined || position - lastKey.position >= KEYFRAME_INTERVAL;
    if (isKey) {
      const start = this.entries.length;
      for (const entry of layout) this.entries.append(entry);
      this.keys.push({ position, start, end: this.entries.length });
    } else {
      for (const { at, remove, insert } of frame.splices) {
        this.splices.append([at, remove, insert.length]);
        for (const entry of insert) this.entries.append(entry);
      }
    }
    this.newest = layout;
  }

  /**
   * The layout after the frame at a position; borrowed. At most `KEYFRAME_INTERVAL` deltas, one when stepping on.
   *
   * @throws {RangeError} if there is no such frame.
   */
  layoutAt(position: number): readonly LayoutEntry[] {
    if (!(position >= 0 && position < this.length))
      throw new RangeError(`There are ${this.length} frames, not ${position}.`);
    if (position === this.lastSeek.position) return this.lastSeek.layout;
    const key = this.keyBefore(position);
    let at = key.position;
    let layout: readonly LayoutEntry[];
    if (this.lastSeek.position > at && this.lastSeek.position < position) {
      at = this.lastSeek.position;
      layout = this.lastSeek.layout;
    } else layout = this.entriesAt(key.start, key.end);
    while (at < position) layout = applyLayoutFrame(layout, this.deltaAt(++at));
    this.lastSeek = { position, layout };
    return layout;
  }

  private keyBefore(position: number) {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle]!.position <= position) low = middle + 1;
      else high = middle;
    }
    return this.keys[low - 1]!;
  }

  private deltaAt(position: number): LayoutFrame {
    const first = this.frames.get(position, 0);
    const end = position + 1 < this.length ? this.frames.get(position + 1, 0) : this.splices.length;
    let entry = this.frames.get(position, 1);
    const splices: Splice[] = [];
    for (let row = first; row < end; row++) {
      const inserted = this.splices.get(row, 2);
      splices.push({
        at: this.splices.get(row, 0),
        remove: this.splices.get(row, 1),
        insert: this.entriesAt(entry, entry + inserted),
      });
      entry += inserted;
    }
    return { kind: 'delta', splices };
  }

  private entriesAt(start: number, end: number): LayoutEntry[] {
    const cells = this.entries.span(start, end);
    return Array.from({ length: end - start }, (_, i): LayoutEntry => [
      cells[3 * i]!,
      cells[3 * i + 1]!,
      cells[3 * i + 2]!,
    ]);
  }
}

/** @throws {LayoutDeltaError} */
function checkPositions(frame: LayoutFrame): void {
  const parts = frame.kind === 'keyframe' ? [frame.entries] : frame.splices.map(({ insert }) => insert);
  for (const entries of parts) {
    for (const [, , end] of entries) {
      if (end > MAX_POSITION) throw new LayoutDeltaError(`Token ${end} lies beyond what a layout can hold.`);
    }
  }
}
