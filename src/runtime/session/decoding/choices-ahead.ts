/**
 * Tokens that the device chose and went on with before anybody read them. They are taken one by one as the history
 * takes them; what the history does not take is forgotten. Pure.
 */
import type { FirstChoice } from '../../../nn/ports.ts';

/** A slot as a working context wants it. */
interface WantedSlot {
  /** Index of its token in the history; another number for what is none. */
  readonly key: number;
  /** What the history holds there. */
  readonly tokenId: number;
  readonly position: number;
  readonly deviation: number;
}

export class ChoicesAhead {
  private slots: { readonly slot: WantedSlot; readonly after: FirstChoice }[] = [];

  get isEmpty(): boolean {
    return this.slots.length === 0;
  }

  /**
   * Keep what was run in one go.
   *
   * @param choices - after the last slot that was wanted, and after each one that was run ahead.
   * @param firstKey - index of the token that the first of them is.
   * @param places - positions and deviations of the slots that were run ahead.
   */
  fill(
    choices: readonly FirstChoice[],
    firstKey: number,
    places: { readonly positions: Float64Array; readonly deviations: Float64Array },
  ): void {
    this.slots = choices.slice(1).map((after, i) => ({
      slot: {
        key: firstKey + i,
        tokenId: choices[i]!.tokenId,
        position: places.positions[i]!,
        deviation: places.deviations[i]!,
      },
      after,
    }));
  }

  /** The next one, if it holds what is wanted. @returns the choice after it. */
  take(wanted: WantedSlot): FirstChoice | null {
    const [next] = this.slots;
    if (next === undefined) return null;
    const { key, tokenId, position, deviation } = next.slot;
    const isSame =
      key === wanted.key &&
      tokenId === wanted.tokenId &&
      position === wanted.position &&
      deviation === wanted.deviation;
    if (!isSame) return null;
    this.slots.shift();
    return next.after;
  }

  clear(): void {
    this.slots = [];
  }
}
