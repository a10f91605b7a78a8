/**
 * Questions out of sentences (inverse cloze, Lee et al. 2019): what is left of a sentence has to find the block that
 * it came from. The rules of `training/published/cloze.py`, so that a session is asked as the shipped heads were. Pure.
 */
import type { Rng } from '../../base/rng.ts';

const ABOUT = [
  'What does the text say about {}?',
  'Where is {} mentioned?',
  'What is said of {}?',
  'Tell me about {}.',
  'Find the passage on {}.',
] as const;
const UNKNOWN = ['What', 'Who', 'When', 'Where', 'How many', 'Which', 'Why'] as const;
/** Words up to so many letters are mostly grammar. */
const SHORT = 3;
/** Of a question that is a sentence's beginning. */
const LEAST_WORDS = 6;
/** Of how the question is made: the sentence's beginning, its rare words, or else the sentence with a gap. */
const BEGINNING_SHARE = 0.15;
const KEYWORDS_SHARE = 0.3;

/** A question that a reader of the sentence could answer, in words that are mostly its own. */
export function clozeQuestion(sentence: string, rng: Rng): string {
  const words = sentence.replace(/^[\s.!?"'“”]+|[\s.!?"'“”]+$/gu, '').split(/\s+/u);
  const style = rng.nextFloat();
  if (style < BEGINNING_SHARE) {
    const kept = Math.floor(words.length * (0.5 + 0.5 * rng.nextFloat()));
    return words.slice(0, Math.max(LEAST_WORDS, kept)).join(' ');
  }
  return style < BEGINNING_SHARE + KEYWORDS_SHARE ? keywordQuestion(words, rng) : gapQuestion(words, rng);
}

function keywordQuestion(words: readonly string[], rng: Rng): string {
  const bare = words.map((word) => word.replace(/^[,;:()"']+|[,;:()"']+$/gu, ''));
  const long = bare.filter((word) => word.length > SHORT + 1);
  const pool = [...(long.length > 0 ? long : bare)];
  const chosen: string[] = [];
  for (let left = 2 + rng.nextInt(4); left > 0 && pool.length > 0; left--) {
    chosen.push(...pool.splice(rng.nextInt(pool.length), 1));
  }
  const listed = chosen.length === 1 ? chosen[0]! : `${chosen.slice(0, -1).join(', ')} and ${chosen.at(-1)!}`;
  return pick(ABOUT, rng).replace('{}', () => listed);
}

function gapQuestion(words: readonly string[], rng: Rng): string {
  const [from, to] = gapIn(words, rng);
  const around = words.filter((_, i) => i < from || i >= to);
  const telling = around.filter((word) => word.length > SHORT || rng.nextFloat() < 0.7);
  const thinned = telling.filter(() => rng.nextFloat() > 0.2);
  const kept = [thinned, telling, around, words].find(({ length }) => length > 0)!;
  const turn = rng.nextFloat() < 0.3 ? rng.nextInt(kept.length) : 0;
  const turned = [...kept.slice(turn), ...kept.slice(0, turn)].join(' ');
  return `${pick(UNKNOWN, rng)} ${turned.replace(/[,;:]+$/u, '')}?`;
}

/** Which words the question asks for: one to four, a name or number among them where there is one. */
function gapIn(words: readonly string[], rng: Rng): readonly [from: number, to: number] {
  const names = words.flatMap((word, i) => (i > 0 && /^[\p{Lu}\p{N}]/u.test(word) ? [i] : []));
  const from = names.length > 0 && rng.nextFloat() < 0.8 ? pick(names, rng) : rng.nextInt(words.length);
  return [from, Math.min(words.length, from + 1 + rng.nextInt(4))];
}

function pick<T>(items: readonly T[], rng: Rng): T {
  return items[rng.nextInt(items.length)]!;
}
