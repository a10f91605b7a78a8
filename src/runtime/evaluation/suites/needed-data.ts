/** What tasks need of a folder of data, and the refusal where it is not there. */
import type { PublicData } from '../cases/public-data.ts';
import { EvaluationError, type EvaluationOptions } from '../plan/suite.ts';

const PARTS: Readonly<Record<keyof PublicData, string>> = {
  prose: 'prose (*.txt)',
  squad: 'SQuAD’s questions (squad.json)',
  hotpot: 'HotpotQA’s questions (hotpotqa.json)',
};

/** @throws {EvaluationError} naming what is missing and how to get it. */
export function assertData(
  suite: string,
  task: string,
  needs: readonly (keyof PublicData)[],
  { data }: Pick<EvaluationOptions, 'data'>,
): void {
  const missing = needs.find((part) => data?.[part] !== true);
  if (missing === undefined) return;
  throw new EvaluationError(
    `The task ${task} of the suite ${suite} needs ${PARTS[missing]}: run npm run eval:data, or name a folder that has it with --data FOLDER.`,
  );
}
