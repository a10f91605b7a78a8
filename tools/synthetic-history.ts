/** An endless seeded history: the example chronicle's paragraphs, shuffled anew in every round. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../src/core/rng.ts';

const EXAMPLE = join(import.meta.dirname, '../public/examples/harbour-chronicle.txt');

/**
 * @param tokens - how many tokens are wanted; the text has at least that many.
 * @param encode - the model's tokenizer.
 */
export function syntheticHistory(
  tokens: number,
  seed: number,
  encode: (text: string) => Uint32Array,
): Uint32Array {
  const rng = new Rng(seed);
  const paragraphs = readFileSync(EXAMPLE, 'utf8')
    .split(/\n{2,}/)
    .map((text) => encode(`${text}\n\n`));
  const history = new Uint32Array(tokens);
  for (let length = 0, round: Uint32Array[] = []; length < tokens;) {
    if (round.length === 0) round = shuffled(paragraphs, rng);
    const next = round.pop()!.subarray(0, tokens - length);
    history.set(next, length);
    length += next.length;
  }
  return history;
}

function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
