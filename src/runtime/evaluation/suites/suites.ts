/** All suites, by name. */
import { casesSuite } from './cases-suite.ts';
import { gistSuite } from './gist-suite.ts';
import { headsSuite } from './heads-suite.ts';
import { kvSuite } from './kv-suite.ts';
import { lensSuite } from './lens-suite.ts';
import { babilongSuite, nolimaSuite, proseQaSuite, rulerSuite } from './public-suites.ts';
import { positionsSuite } from './positions-suite.ts';
import { pruningSuite } from './pruning-suite.ts';
import { recallSuite } from './recall-suite.ts';
import { streamSuite } from './stream-suite.ts';
import { EvaluationError, type EvaluationSuite } from '../plan/suite.ts';
import { topicsSuite } from './topics-suite.ts';

export const SUITES: readonly EvaluationSuite[] = [
  recallSuite,
  rulerSuite,
  babilongSuite,
  nolimaSuite,
  proseQaSuite,
  positionsSuite,
  kvSuite,
  headsSuite,
  lensSuite,
  gistSuite,
  streamSuite,
  topicsSuite,
  pruningSuite,
  casesSuite,
];

/** @throws {EvaluationError} for an unknown name. */
export function suiteNamed(id: string): EvaluationSuite {
  const found = SUITES.find((suite) => suite.id === id);
  if (found !== undefined) return found;
  throw new EvaluationError(`Unknown suite "${id}". Known: ${SUITES.map((suite) => suite.id).join(', ')}.`);
}
