/** Hides sentences in a history of an exact length. Seeded and pure. */
import type { Rng } from '../../../../base/rng.ts';
import type { LoadedModel } from '../../../../nn/ports.ts';
import type { Span } from '../../world/history-writer.ts';
import { NoRoomError } from '../../world/no-room-error.ts';

export interface HaystackPlan {
  readonly tokens: number;
  /** Goes on for ever. */
  readonly hay: Iterator<string, never>;
  readonly needles: readonly string[];
  /** The needles keep their order; else it is drawn. */
  readonly isOrdered: boolean;
}

export interface Haystack {
  /** As many as asked for. */
  readonly ids: Uint32Array;
  /** `[needles]` where each stands. */
  readonly spans: readonly Span[];
}

/** Depths are uniform; needles stand between sentences. @throws {NoRoomError} */
export function buildHaystack(
  plan: HaystackPlan,
  { tokenizer }: Pick<LoadedModel, 'tokenizer'>,
  rng: Rng,
): Haystack {
  const encoded = plan.needles.map((needle) => tokenizer.encode(` ${needle}`));
  const needed = encoded.reduce((sum, { length }) => sum + length, 0);
  const room = plan.tokens - needed;
  if (room < 0) {
    throw new NoRoomError(`${plan.tokens} tokens cannot hold the ${needed} of what is to be hidden in them.`);
  }
  const depths = encoded.map(() => rng.nextFloat() * room).sort((a, b) => a - b);
  const order = [...encoded.keys()];
  if (!plan.isOrdered) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = rng.nextInt(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
  }
  const ids = new Uint32Array(plan.tokens);
  const spans: Span[] = [];
  let length = 0;
  let hay = 0;
  let left = needed;
  const put = (piece: Uint32Array): void => {
    ids.set(piece.subarray(0, plan.tokens - length), length);
    length = Math.min(plan.tokens, length + piece.length);
  };
  const grow = (until: number): void => {
    while (hay < until && length + left < plan.tokens) {
      const piece = tokenizer.encode(`${length === 0 ? '' : ' '}${plan.hay.next().value}`);
      // What is still to be hidden keeps its room.
      const fitting = piece.subarray(0, plan.tokens - left - length);
      put(fitting);
      hay += piece.length;
    }
  };
  for (const [i, needle] of order.entries()) {
    grow(depths[i]!);
    spans[needle] = { start: length, end: length + encoded[needle]!.length };
    left -= encoded[needle]!.length;
    put(encoded[needle]!);
  }
  grow(Infinity);
  return { ids, spans };
}

/** The sentences of a text from a drawn one on, and over again from its start. */
export function* sentencesOf(prose: string, rng: Rng): Generator<string, never> {
  const sentences = prose
    .replace(/\s+/g, ' ')
    .split(/(?<=[.!?]) /)
    .filter((sentence) => sentence.trim() !== '');
  if (sentences.length === 0) throw new NoRoomError('The prose has no sentence.');
  for (let i = rng.nextInt(sentences.length); ; i++) yield sentences[i % sentences.length]!;
}

export function* repeated(sentences: readonly string[]): Generator<string, never> {
  for (let i = 0; ; i++) yield sentences[i % sentences.length]!;
}

export function* endless(next: () => string): Generator<string, never> {
  for (;;) yield next();
}
