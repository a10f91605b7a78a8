/**
 * NoLiMa's idea (Modarressi et al. 2025, arXiv 2502.05167) with needles of our own: the question shares no content
 * word with its needle, so that only what a landmark, a craft or a habit implies leads from one to the other.
 */
import type { Rng } from '../../../../base/rng.ts';
import { buildHaystack, sentencesOf } from './haystack.ts';
import { oneQuestion, type PublicTask } from './public-task.ts';

const NAMES = ['Yara', 'Tomas', 'Ilse', 'Kofi', 'Maren', 'Dmitri', 'Noor', 'Halvor', 'Chiara', 'Joaquin'];

/** A needle with `{name}`, and a question that names none of its words. */
export const NOLIMA_PAIRS: readonly (readonly [needle: string, question: string])[] = [
  ['{name} rents a flat that looks onto the Brandenburg Gate.', 'Which character has been to Germany?'],
  ['Every morning {name} jogs past the Sagrada Família.', 'Which character has been to Spain?'],
  ['{name} once fed the pigeons below the Eiffel Tower.', 'Which character has been to France?'],
  [
    'From the office window {name} could see the Sydney Opera House.',
    'Which character has been to Australia?',
  ],
  ['{name} was photographed beside the Great Sphinx.', 'Which character has been to Egypt?'],
  ['The tour bus left {name} behind at Machu Picchu.', 'Which character has been to Peru?'],
  ['{name} walked the whole length of the Golden Gate Bridge.', 'Which character has been to California?'],
  ['Last autumn {name} sketched the Taj Mahal at dawn.', 'Which character has been to India?'],
  ['{name} tunes a cello before every rehearsal.', 'Which character is a musician?'],
  ['At night {name} bakes two hundred loaves.', 'Which character works with flour?'],
  ['{name} never orders steak, ham or chicken.', 'Which character is a vegetarian?'],
  ['{name} sneezes whenever a cat comes near.', 'Which character has an allergy to animals?'],
];

export const NOLIMA_TASKS: readonly PublicTask[] = [
  {
    id: 'one-hop',
    sentence: 'A needle about one character, and a question that shares no content word with it.',
    needs: ['prose'],
    questionsPerHistory: 1,
    write: ({ historyTokens }, model, { prose }, rng) => {
      const { needle, question, name } = drawNeedle(rng);
      const plan = {
        tokens: historyTokens,
        hay: sentencesOf(prose, rng),
        needles: [needle],
        isOrdered: true,
      };
      const { ids, spans } = buildHaystack(plan, model, rng);
      return oneQuestion(model, ids, question, { kind: 'in-order', values: [name] }, spans);
    },
  },
];

function drawNeedle(rng: Rng): { readonly needle: string; readonly question: string; readonly name: string } {
  const [needle, question] = NOLIMA_PAIRS[rng.nextInt(NOLIMA_PAIRS.length)]!;
  const name = NAMES[rng.nextInt(NAMES.length)]!;
  return { needle: needle.replace('{name}', name), question, name };
}
