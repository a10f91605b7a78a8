/** Layouts of all steps, decoded on demand by the frame index; recently read ones keep their identity. */
import { FrameIndex } from '../../core/trace/frame-index.ts';
import { type LayoutFrame, LayoutDeltaError } from '../../core/trace/layout-delta.ts';
import type { LayoutEntry } from '../../core/trace/telemetry.ts';

/** More than the rows of a tall screen. */
const CACHED_LAYOUTS = 1200;

export class LayoutHistory {
  #index = new FrameIndex();
  readonly #cache = new Map<number, readonly LayoutEntry[]>();

  /** False if the layout does not fit the frame before (a damaged trace); the step is then left out. */
  append(frame: LayoutFrame): boolean {
    try {
      this.#index.append(frame);
      return true;
    } catch (error) {
      if (error instanceof LayoutDeltaError) return false;
      throw error;
    }
  }

  /** The layout after a frame; shared, never changed. */
  at(index: number): readonly LayoutEntry[] {
    const cached = this.#cache.get(index);
    if (cached) return cached;
    if (index < 0 || index >= this.#index.length) return [];
    const layout = this.#index.layoutAt(index);
    if (this.#cache.size >= CACHED_LAYOUTS) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(index, layout);
    return layout;
  }

  clear(): void {
    this.#index = new FrameIndex();
    this.#cache.clear();
  }
}
