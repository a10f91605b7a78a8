/** Every third of a kind is held out. */
const HELD_OUT_EVERY = 3;

/** @param index - within its kind, in the history's order. */
export function isHeldOut(index: number): boolean {
  return index % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
}
