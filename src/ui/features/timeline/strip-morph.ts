/** Animates the working-context strip from one layout to the next: blocks split, merge and shift. */
import { type Selection, easeCubicOut, interpolateNumber, select } from 'd3';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { type SlotInterval, morphFrom, slotOffsets } from './slots.ts';

const MORPH_MS = 260;
/** Outlines of changed entries fade over this time. */
const FLASH_MS = 900;

export class StripMorph {
  readonly #canvas: Selection<HTMLCanvasElement, unknown, null, undefined>;
  readonly #onFrame: () => void;
  #entries: readonly LayoutEntry[] = [];
  #intervals: SlotInterval[] = [];
  #changed = new Set<number>();
  #flash = 0;

  constructor(canvas: HTMLCanvasElement, onFrame: () => void) {
    this.#canvas = select(canvas);
    this.#onFrame = onFrame;
  }

  get entries(): readonly LayoutEntry[] {
    return this.#entries;
  }

  get intervals(): readonly SlotInterval[] {
    return this.#intervals;
  }

  /** How strongly an entry that just changed its level of detail is outlined, 0..1. */
  flashOf(entryIndex: number): number {
    return this.#changed.has(entryIndex) ? this.#flash : 0;
  }

  /** Show another layout; animated unless it is the first, the same, or motion is unwanted. */
  show(entries: readonly LayoutEntry[], animate: boolean): void {
    if (entries === this.#entries) return;
    const before = this.#entries;
    const offsets = slotOffsets(entries);
    const target = entries.map((_, i): SlotInterval => ({ from: offsets[i]!, to: offsets[i + 1]! }));
    this.#entries = entries;
    this.#canvas.interrupt('morph').interrupt('flash');
    if (!animate || before.length === 0) {
      this.#intervals = target;
      this.#changed.clear();
      this.#onFrame();
      return;
    }
    const origin = morphFrom(before, entries);
    this.#changed = refinedOrMerged(before, entries);
    const tweens = origin.map(({ from, to }, i) => ({
      from: interpolateNumber(from, target[i]!.from),
      to: interpolateNumber(to, target[i]!.to),
    }));
    this.#intervals = origin;
    this.#canvas
      .transition('morph')
      .duration(MORPH_MS)
      .ease(easeCubicOut)
      .tween('intervals', () => (t: number) => {
        this.#intervals = t === 1 ? target : tweens.map(({ from, to }) => ({ from: from(t), to: to(t) }));
        this.#onFrame();
      });
    if (this.#changed.size === 0) return;
    this.#canvas
      .transition('flash')
      .duration(FLASH_MS)
      .tween('flash', () => (t: number) => {
        this.#flash = 1 - t;
        this.#onFrame();
      });
  }

  dispose(): void {
    this.#canvas.interrupt('morph').interrupt('flash');
  }
}

/** Entries whose span existed before at another level of detail. */
function refinedOrMerged(before: readonly LayoutEntry[], after: readonly LayoutEntry[]): Set<number> {
  const known = new Set(before.map(([lod, start]) => `${lod}:${start}`));
  const cursorBefore = before.at(-1)?.[2] ?? 0;
  const changed = new Set<number>();
  after.forEach(([lod, start, end], i) => {
    if (end <= cursorBefore && !known.has(`${lod}:${start}`)) changed.add(i);
  });
  return changed;
}
