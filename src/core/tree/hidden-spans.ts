/** The parts of the history that the researcher hid from focus: which blocks and gists they take along. */
import { K } from './ids.ts';

interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** Sorted spans of tokens that do not touch each other. Immutable. */
export class HiddenSpans {
  private readonly spans: readonly TokenSpan[];
  /** The same out to the edges of the blocks that they touch. */
  private readonly blocks: readonly TokenSpan[];

  /** @param spans - in any order; they may overlap. */
  constructor(spans: readonly TokenSpan[] = []) {
    this.spans = merged(spans);
    this.blocks = merged(
      this.spans.map(({ start, end }) => ({
        start: Math.floor(start / K) * K,
        end: Math.ceil(end / K) * K,
      })),
    );
  }

  get isEmpty(): boolean {
    return this.spans.length === 0;
  }

  /** Whether all of the tokens `start..end-1` are hidden. */
  holds(start: number, end: number): boolean {
    return holds(this.spans, start, end);
  }

  /** Whether every block of `start..end-1` has a hidden token: such a gist stands for nothing else and is not expanded. */
  holdsBlocks(start: number, end: number): boolean {
    return holds(this.blocks, start, end);
  }
}

function holds(spans: readonly TokenSpan[], start: number, end: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.end <= start) low = middle + 1;
    else high = middle;
  }
  const span = spans[low];
  return span !== undefined && span.start <= start && end <= span.end;
}

function merged(spans: readonly TokenSpan[]): readonly TokenSpan[] {
  const whole: { start: number; end: number }[] = [];
  for (const { start, end } of spans
    .filter((span) => span.end > span.start)
    .sort((a, b) => a.start - b.start)) {
    const last = whole.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else whole.push({ start, end });
  }
  return whole;
}
