/** Turns answers into the counts of a cell's cluster. Pure. */
import { addToBins, type CellCounts } from '../report/cell.ts';
import type { Answered } from './answering.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';
import { type FigureId, FIGURES } from '../../../core/evaluation-report/figures.ts';
import type { BinCounts, CellKey, ClusterCounts } from '../../../core/evaluation-report/report.ts';
import type { WeightedSum } from '../../../base/statistics.ts';

/** Figures that a reason against a policy leaves undefined. */
const ANSWER_FIGURES: readonly FigureId[] = [
  'answered',
  'accuracy',
  'routingRecall',
  'readingGivenRouted',
  'againstFull',
  'f1',
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
    againstFull: full,
    f1: 'The answers are no free text.',
    gapRecovered: all.has('full') ? 'It needs newest-blocks to be run too.' : full,
    regret: reasons.get('answer-oracle') ?? 'It needs answer-oracle and random-blocks to be run too.',
    ...(answers.some(({ isRouted }) => isRouted === null)
      ? { routingRecall: UNKNOWN_GOLD, readingGivenRouted: UNKNOWN_GOLD }
      : {}),
    ...(answers.some(({ nll }) => nll === null) ? unreadFigures() : {}),
  };
  return { ...key, clusters: [counted], why };
}

/** What the reference's tokens say, where they were not read. */
function unreadFigures(): Partial<Record<FigureId, string>> {
  const reason = 'The references were not read.';
  return { accuracy: reason, nll: reason, deltaNll: reason, gapRecovered: reason, regret: reason };
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
  const routed = known.filter(({ isRouted }) => isRouted === true);
  const isDecoded = answers.every(({ verdict }) => verdict !== null);
  const nlls = answers.flatMap(({ nll }) => nll ?? []);
  const isRead = nlls.length === answers.length;
  const f1s = answers.flatMap(({ verdict }) => verdict?.f1 ?? []);
  const exact = answers.flatMap(({ verdict }) => verdict?.isExact ?? []);
  const focused = answers.flatMap(({ live }) => live ?? []);
  const reached = focused.flatMap(({ latency }) => latency ?? []);
  const reachedTokens = focused.flatMap(({ latencyTokens }) => latencyTokens ?? []);
  // All answers of a unit come from one stream, which counts once.
  const streamed = focused.slice(0, 1).flatMap(({ streaming }) => streaming ?? []);
  const figures: Partial<Record<FigureId, WeightedSum>> = {
    ...(isDecoded && {
      answered: share(answers, isAnswered),
      refused: share(answers, ({ verdict }) => verdict!.isRefused),
    }),
    ...(isDecoded && full !== undefined && { againstFull: [count(full), count(answers)] }),
    ...(f1s.length > 0 && { f1: mean(f1s), exactMatch: [exact.length, exact.filter(Boolean).length] }),
    ...(isRead && {
      accuracy: share(answers, ({ isReferenceRead }) => isReferenceRead === true),
      nll: mean(nlls),
    }),
    utilisation: mean(answers.map(({ utilisation }) => utilisation)),
    baseTokensPerQuestion: mean(answers.map(({ baseTokens }) => baseTokens)),
    msPerQuestion: mean(answers.map(({ ms }) => ms)),
    ...(known.length > 0 && {
      routingRecall: share(known, ({ isRouted }) => isRouted === true),
      ...(isDecoded && { readingGivenRouted: share(routed, isAnswered) }),
    }),
    ...(isRead && full !== undefined && { deltaNll: [answers.length, difference(answers, full)] }),
    ...(isRead &&
      full !== undefined &&
      recency !== undefined && { gapRecovered: gap(recency, answers, full) }),
    ...(isRead &&
      oracle !== undefined &&
      random !== undefined && { regret: regret(random, answers, oracle) }),
    ...(focused.length > 0 && {
      swapRate: mean(focused.map(({ totals }) => totals.swapRate)),
      meanResidency: mean(focused.map(({ totals }) => totals.meanResidency)),
      flipRate: flips(focused.map(({ totals }) => totals)),
    }),
    ...(streamed.length > 0 && {
      streamSwapRate: mean(streamed.map(({ swapRate }) => swapRate)),
      streamResidency: mean(streamed.map(({ meanResidency }) => meanResidency)),
      streamFlipRate: flips(streamed),
    }),
    ...(reached.length > 0 && { refocusLatency: mean(reached) }),
    ...(reachedTokens.length > 0 && { latencyTokens: mean(reachedTokens) }),
  };
  let distances: readonly BinCounts[] = [];
  for (const answer of answers) {
    if (answer.distance !== null)
      distances = addToBins(distances, answer.distance, isAnswered(answer) ? 1 : 0);
  }
  return { cluster, n: answers.length, figures: inOrder(figures), distances };
}

function isAnswered({ verdict }: Answered): boolean {
  return verdict?.isAnswered ?? false;
}

function count(answers: readonly Answered[]): number {
  return answers.filter(isAnswered).length;
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

/** Σ (a − b), in nats; of answers whose references were read. */
function difference(a: readonly Answered[], b: readonly Answered[]): number {
  return a.reduce((sum, { nll }, i) => sum + nll! - b[i]!.nll!, 0);
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
