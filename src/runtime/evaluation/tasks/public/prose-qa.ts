/** Questions over real paragraphs, one history of many, as a reader of a long document asks them. */
import type { PublicTask } from './public-task.ts';
import { writeHotpot, writeSquad } from './paragraphs.ts';

export const PROSE_QA_TASKS: readonly PublicTask[] = [
  {
    id: 'squad',
    sentence: 'Answerable questions of SQuAD, several on one history of paragraphs.',
    needs: ['squad'],
    questionsPerHistory: 10,
    write: (options, model, { squad }, rng) => writeSquad(options, model, squad, rng),
  },
  {
    id: 'hotpot',
    sentence: 'A question of HotpotQA that needs two documents among others.',
    needs: ['hotpot'],
    questionsPerHistory: 1,
    write: (options, model, { hotpot }, rng) => writeHotpot(options, model, hotpot, rng),
  },
];
