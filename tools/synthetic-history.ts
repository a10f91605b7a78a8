/** Makes endless readable harbour prose with facts and questions about them; the seed decides every word. */
import { Rng } from '../src/core/rng.ts';

export interface SyntheticQuestion {
  readonly question: string;
  /** The word that a right answer contains. */
  readonly value: string;
  /** Characters of history before the question. */
  readonly askedAtCharacter: number;
}

export interface SyntheticHistory {
  readonly text: string;
  readonly questions: readonly SyntheticQuestion[];
}

const PEOPLE = ['Mara', 'Tobin', 'Hester', 'Celia', 'Arthur', 'Rosa', 'Stefan', 'Ida', 'Jonas', 'Petra'];
const FAMILIES = ['Dunn', 'Ashby', 'Rosen', 'Vale', 'Marsh', 'Holt', 'Quill', 'Penn'];
const THINGS = ['lantern', 'boat', 'coat', 'door', 'trunk', 'kettle', 'ladder', 'bell'];
const COLOURS = ['red', 'green', 'blue', 'white', 'black', 'yellow', 'grey', 'brown'];
const FILLER = [
  'The wind turned to the north before breakfast.',
  'Some believed it, and some told it again with changes.',
  'There was water on the steps, and people walked slowly.',
  'Nobody on the quay had seen such a tide before.',
  'The women at the pump spoke of it until evening.',
  'A cart came down the hill with nets and salt.',
  'By noon the sun was out, and the boats lay still.',
  'The keeper counted the crates twice and wrote it down.',
];

/** A fact in eight sentences, a question after about `questionEvery` characters. */
export function writeSyntheticHistory(
  characters: number,
  seed: number,
  questionEvery = 16_000,
): SyntheticHistory {
  const rng = new Rng(seed);
  const pick = <T>(items: readonly T[]): T => items[rng.nextInt(items.length)]!;
  const facts = new Map<string, { readonly question: string; readonly value: string }>();
  const questions: SyntheticQuestion[] = [];
  const sentences: string[] = [];
  let length = 0;
  for (let nextQuestion = questionEvery; length < characters;) {
    const isFact = rng.nextInt(8) === 0;
    const owner = `${pick(PEOPLE)} ${pick(FAMILIES)}`;
    const thing = pick(THINGS);
    const colour = pick(COLOURS);
    const key = `${thing} of ${owner}`;
    const isNew = isFact && !facts.has(key);
    const sentence = isNew ? `The ${key} is ${colour}.` : pick(FILLER);
    if (isNew) facts.set(key, { question: `What colour is the ${key}?`, value: colour });
    const isParagraphEnd = rng.nextInt(6) === 0;
    const piece = sentence + (isParagraphEnd ? '\n\n' : ' ');
    sentences.push(piece);
    length += piece.length;
    if (length >= nextQuestion && facts.size > 0) {
      questions.push({ ...pick([...facts.values()]), askedAtCharacter: length });
      nextQuestion += questionEvery;
    }
  }
  return { text: sentences.join(''), questions };
}

/** A text read over and over until it is long enough; the seed decides the order of its paragraphs each time. */
export function cycleText(text: string, characters: number, seed: number): string {
  const paragraphs = text.split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== '');
  const parts: string[] = [];
  let length = 0;
  for (let round = 0; length < characters; round++) {
    const order = [...paragraphs];
    // The first round is the text itself.
    if (round > 0) shuffle(order, new Rng(seed).split(round));
    for (const paragraph of order) {
      parts.push(paragraph);
      length += paragraph.length + 2;
      if (length >= characters) break;
    }
  }
  return parts.join('\n\n');
}

function shuffle(items: string[], rng: Rng): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}
