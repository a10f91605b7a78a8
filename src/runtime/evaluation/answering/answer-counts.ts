/** Turns answers into the counts of a cell's cluster. Pure. */
import { addToBins, type CellCounts } from '../report/cell.ts';
import type { Answered } from './answering.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';
import { type FigureId, FIGURES } from '../report/figures.ts';
import type { BinCounts, CellKey, ClusterCounts } from '../report/report.ts';
import type { WeightedSum } from '../../../base/statistics.ts';

/** Figures that a reason against a policy leaves undefined. */
const ANSWER_FIGURES: readonly FigureId[] = [
  'accuracy',
  'routingRecall',
  'readingAccuracy',
  'nll',
  'deltaNll',
  'gapRecovered',
  'regret',
];

/** The cell of a policy that cannot answer: no cases, and why. */
export function cellWithout(key: CellKey, reason: string): CellCounts {
  return { ...key, clusters: [], why: Object.fromEntries(ANSWER_FIGURES.map((figure) => [figure, reason])) };
}

/**
 * @param cluster - the history that the answers share; the same in every run.
 * @param all - answers of every policy to the same cases, in one order.
 */
export function cellOfAnswers(
  key: CellKey,
  policy: EvaluationPolicyId,
  cluster: string,
  all: ReadonlyMap<EvaluationPolicyId, readonly Answered[]>,
  reasons: ReadonlyMap<EvaluationPolicyId, string>,
): CellCounts {
  const answers = all.get(policy)!;
  const counted = countsOf(answers, cluster, {
    full: all.get('full'),
    recency: all.get('newest-blocks'),
    random: all.get('random-blocks'),
    oracle: all.get('answer-oracle'),
  });
  const full = reasons.get('full') ?? 'It needs full to be run too.';
  const why: Partial<Record<FigureId, string>> = {
    deltaNll: full,
    gapRecovered: all.has('full') ? 'It needs newest-blocks to be run too.' : full,
    regret: reasons.get('answer-oracle') ?? 'It needs answer-oracle and random-blocks to be run too.',
    ...(answers.some(({ isRouted }) => isRouted === null)
      ? { routingRecall: UNKNOWN_GOLD, readingAccuracy: UNKNOWN_GOLD }
      : {}),
  };
  return { ...key, clusters: [counted], why };
}

const UNKNOWN_GOLD = 'The cases do not say which tokens hold the answer.';

interface References {
  readonly full: readonly Answered[] | undefined;
  readonly recency: readonly Answered[] | undefined;
  readonly random: readonly Answered[] | undefined;
  readonly oracle: readonly Answered[] | undefined;
}

function countsOf(answers: readonly Answered[], cluster: string, references: References): ClusterCounts {
  const { full, recency, random, oracle } = references;
  const known = answers.filter(({ isRouted }) => isRouted !== null);
  const focused = answers.flatMap(({ lens }) => lens ?? []);
  const reached = focused.flatMap(({ latency }) => latency ?? []);
  const reachedTokens = focused.flatMap(({ latencyTokens }) => latencyTokens ?? []);
  const figures: Partial<Record<FigureId, WeightedSum>> = {
    accuracy: share(answers, ({ isRight }) => isRight),
    exactMatch: share(answers, ({ isExact }) => isExact),
    nll: mean(answers.map(({ nll }) => nll)),
    utilisation: mean(answers.map(({ utilisation }) => utilisation)),
    ...(known.length > 0
      ? {
          routingRecall: share(known, ({ isRouted }) => isRouted === true),
          readingAccuracy: share(
            known.filter(({ isRouted }) => isRouted === true),
            ({ isRight }) => isRight,
          ),
        }
      : {}),
    ...(full === undefined ? {} : { deltaNll: mean(answers.map(({ nll }, i) => nll - full[i]!.nll)) }),
    ...(full === undefined || recency === undefined ? {} : { gapRecovered: gap(recency, answers, full) }),
    ...(oracle === undefined || random === undefined ? {} : { regret: regret(random, answers, oracle) }),
    ...(focused.length === 0
      ? {}
      : {
          swapRate: mean(focused.map(({ totals }) => totals.swapRate)),
          meanResidency: mean(focused.map(({ totals }) => totals.meanResidency)),
          flipRate: flips(focused.map(({ totals }) => totals)),
        }),
    ...(reached.length === 0 ? {} : { refocusLatency: mean(reached) }),
    ...(reachedTokens.length === 0 ? {} : { latencyTokens: mean(reachedTokens) }),
  };
  let distances: readonly BinCounts[] = [];
  for (const { distance, isRight } of answers) {
    if (distance !== null) distances = addToBins(distances, distance, isRight ? 1 : 0);
  }
  return { cluster, n: answers.length, figures: inOrder(figures), distances };
}

/** In the order of the list, so that a report that was read and written again is the same file. */
function inOrder(figures: ClusterCounts['figures']): ClusterCounts['figures'] {
  return Object.fromEntries(
    FIGURES.flatMap(({ id }) => (figures[id] === undefined ? [] : [[id, figures[id]]])),
  );
}

function share(answers: readonly Answered[], holds: (answer: Answered) => boolean): WeightedSum {
  return [answers.length, answers.filter(holds).length];
}

function mean(values: readonly number[]): WeightedSum {
  return [values.length, values.reduce((sum, value) => sum + value, 0)];
}

/** Σ (floor − policy) over Σ (floor − full), in nats. */
function gap(
  floor: readonly Answered[],
  answers: readonly Answered[],
  full: readonly Answered[],
): WeightedSum {
  return [difference(floor, full), difference(floor, answers)];
}

/** Σ (policy − oracle) over Σ (random − oracle), in nats. */
function regret(
  random: readonly Answered[],
  answers: readonly Answered[],
  oracle: readonly Answered[],
): WeightedSum {
  return [difference(random, oracle), difference(answers, oracle)];
}

function difference(a: readonly Answered[], b: readonly Answered[]): number {
  return a.reduce((sum, { nll }, i) => sum + nll - b[i]!.nll, 0);
}

function flips(totals: readonly { expansions: number; collapses: number; flipRate: number }[]): WeightedSum {
  let moves = 0;
  let undone = 0;
  for (const { expansions, collapses, flipRate } of totals) {
    moves += expansions + collapses;
    undone += flipRate * (expansions + collapses);
  }
  return [moves, undone];
}
