/** How fast text really comes in, over the last seconds. */

/** Long enough that blocks do not show as jumps. */
const WINDOW_MS = 4000;
const LEAST_MS = 1000;

export class PaceMeter {
  #readings: { readonly cursor: number; readonly atMs: number }[] = [];

  /** Take in where the history ends; a pause or another session starts the measure anew. */
  read(cursor: number, atMs: number, isIngesting: boolean): void {
    const last = this.#readings.at(-1);
    if (!isIngesting || (last && cursor < last.cursor)) this.#readings = [];
    if (!isIngesting) return;
    this.#readings = [
      ...this.#readings.filter((reading) => atMs - reading.atMs <= WINDOW_MS),
      { cursor, atMs },
    ];
  }

  /** Tokens per second; null until a second has passed. */
  get tokensPerSecond(): number | null {
    const first = this.#readings[0];
    const last = this.#readings.at(-1);
    if (!first || !last || last.atMs - first.atMs < LEAST_MS) return null;
    return ((last.cursor - first.cursor) / (last.atMs - first.atMs)) * 1000;
  }
}
