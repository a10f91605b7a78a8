/** An endless seeded history: the example chronicle, then its paragraphs shuffled anew, round after round. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../src/base/rng.ts';

const EXAMPLE = join(import.meta.dirname, '../public/examples/harbour-chronicle');

/** A question that the chronicle answers. */
export interface ChronicleQuestion {
  readonly question: string;
  /** The word that a right answer contains. */
  readonly value: string;
  /** Where in the text the fact begins. */
  readonly factStartChar: number;
}

export interface SyntheticHistory {
  readonly ids: Uint32Array;
  readonly questions: readonly (ChronicleQuestion & {
    /** Tokens of history after which the fact was read for the first time. */
    readonly knownAtToken: number;
  })[];
}

/**
 * @param encode - the model's tokenizer.
 * @returns exactly `tokens` tokens; the first round is the chronicle as it stands.
 */
export function writeSyntheticHistory(
  tokens: number,
  seed: number,
  encode: (text: string) => Uint32Array,
): SyntheticHistory {
  const chronicle = readFileSync(`${EXAMPLE}.txt`, 'utf8');
  const { questions } = JSON.parse(readFileSync(`${EXAMPLE}.json`, 'utf8')) as {
    readonly questions: readonly ChronicleQuestion[];
  };
  const paragraphs = chronicle.split(/\n{2,}/).map((text) => ({ text, ids: encode(`${text}\n\n`) }));
  const ids = new Uint32Array(tokens);
  const ends: number[] = [];
  let length = 0;
  for (let round = 0; length < tokens; round++) {
    const order = round === 0 ? paragraphs : shuffled(paragraphs, new Rng(seed).split(round));
    for (const paragraph of order) {
      const piece = paragraph.ids.subarray(0, tokens - length);
      ids.set(piece, length);
      length += piece.length;
      if (round === 0) ends.push(length);
    }
  }
  return { ids, questions: questions.map((asked) => ({ ...asked, knownAtToken: knownAt(asked) })) };

  function knownAt({ factStartChar }: ChronicleQuestion): number {
    const paragraph = chronicle.slice(0, factStartChar).split(/\n{2,}/).length - 1;
    return ends[paragraph] ?? Infinity;
  }
}

function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
