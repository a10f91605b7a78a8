/** Seeded random numbers: one stream (sfc32) that can be split, saved and restored, and a stateless hash. */

/** The whole state of a stream: four uint32. Plain data. */
export type RngState = readonly [number, number, number, number];

export class Rng {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  /** The same seed gives the same stream on every machine. */
  constructor(seed: number) {
    this.a = hashUint32(seed, 0x9e3779b9);
    this.b = hashUint32(seed, 0x243f6a88);
    this.c = hashUint32(seed, 0xb7e15162);
    for (let i = 0; i < 12; i++) this.nextUint32();
  }

  static fromState(state: RngState): Rng {
    const rng = new Rng(0);
    [rng.a, rng.b, rng.c, rng.counter] = state;
    return rng;
  }

  get state(): RngState {
    return [this.a, this.b, this.c, this.counter];
  }

  /** Uniform in 0..2^32-1. */
  nextUint32(): number {
    const result = (this.a + this.b + this.counter) >>> 0;
    this.counter = (this.counter + 1) >>> 0;
    this.a = (this.b ^ (this.b >>> 9)) >>> 0;
    this.b = (this.c + (this.c << 3)) >>> 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) >>> 0;
    return result;
  }

  /** Uniform in [0, 1) with 32 random bits. */
  nextFloat(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** Uniform integer in 0..bound-1, without modulo bias. */
  nextInt(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RangeError(`Bound must be an integer in 1..2^32, got ${bound}.`);
    }
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let value = this.nextUint32();
    while (value >= limit) value = this.nextUint32();
    return value % bound;
  }

  /** An independent stream for a named purpose; this stream does not move. */
  split(purpose: number): Rng {
    return new Rng(hashUint32(this.a, this.b, this.c, this.counter, purpose));
  }
}

/** A well mixed uint32 of any numbers below 2^53; the same numbers give the same hash. */
export function hashUint32(...values: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const value of values) {
    hash = mix(hash ^ (value >>> 0));
    hash = mix(hash ^ (Math.floor(value / 2 ** 32) >>> 0));
  }
  return hash;
}

function mix(value: number): number {
  let x = (value + 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
