/**
 * Measures what every legal move of one working context is really worth, and how well scores rank the moves by
 * it. Owns no cache: the caller reads answers.
 */
import { HistoryWords } from '../../../core/lexical/history-words.ts';
import { wordMatchOf } from '../../session/memory/word-match.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { K } from '../../../core/tree/ids.ts';
import { apply, EXPANSION_COST, legalMoves } from '../../../core/context/moves.ts';
import { expectedGainNats } from '../../../core/policies/score-unit.ts';
import { refocus } from '../../../core/allocator/refocus.ts';
import type { Rng } from '../../../base/rng.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { entryIndexAt } from '../../../core/context/working-context.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { expandToRaw, unitScore, unitsOf } from '../../lens-training/moves.ts';
import { worthOfDetail } from '../../lens-training/targets.ts';
import { lensNetOf } from '../../session/head/lens-variant.ts';
import { sample } from '../world/chronicler.ts';
import type { EvaluationCase } from '../cases/evaluation-case.ts';
import type { Span } from '../world/history-writer.ts';
import { gistsLayout } from '../baselines/layouts.ts';
import type { Ranks } from '../baselines/baseline.ts';
import { createBm25Ranker } from '../baselines/bm25-ranker.ts';
import { blockGists, rankByAttention, rankByCosine } from '../baselines/gist-ranks.ts';
import { rankAtRandom, rankByGold, rankByRecency } from '../baselines/plain-ranks.ts';
import { meanOf, spearman } from '../../../base/statistics.ts';

/** The most moves of one context that are measured. */
const MAX_MOVES = 48;
const SCATTERED_BLOCKS = 3;
/** Nats per token: a smaller worth is no reason to move anything, however quiet the others are. */
const WORTHWHILE_NATS = 0.02;
/** Most moves do nothing, so that the spread of all is that of the noise. */
const NOISE_DEVIATIONS = 3;
/** The median size of a normal deviate times this is its standard deviation. */
const MEDIAN_TO_DEVIATION = 1.4826;
/** Fewer pairs than this have a rank correlation of mere chance. */
const MIN_PAIRS = 4;

/** One measured move: what its detail is worth, and what each scorer said; of LensNet's score, the gain it stands for. */
export interface CalibratedMove {
  /** f(S) − f(S after it) for an expansion, the negative for a collapse: nats per token that the detail saves. */
  readonly worthNats: number;
  /** The same over every other token of the answer, from the first and from the second on. */
  readonly halvesNats: readonly [number, number];
  readonly scores: Readonly<Record<RankingId, number>>;
}

export interface Calibration {
  readonly moves: readonly CalibratedMove[];
  /** Share of the gists that LensNet scored above the threshold and that a refocus expanded; null for none. */
  readonly coherence: number | null;
}

/** Policies that score moves; `gold` knows which blocks hold the answer, and nothing else. */
export const RANKING_IDS = [
  'lensnet',
  'newest-blocks',
  'random-blocks',
  'bm25-blocks',
  'cosine',
  'gist-attention',
  'gold',
] as const;
export type RankingId = (typeof RANKING_IDS)[number];

interface CalibrationInput {
  /** The history with the question behind it, and all gists. */
  readonly tree: GistTree;
  readonly item: EvaluationCase;
  readonly config: RunConfig;
  readonly model: LoadedModel;
  readonly rng: Rng;
  /** `[n]` negative log-likelihoods of the answer's tokens given a layout; f is their mean. */
  readonly nll: (layout: Layout) => Promise<Float64Array>;
}

/**
 * Measure up to 48 legal moves of one context, whatever they cost: all that touch a gold block, and a seeded
 * sample of the others. A gist above LOD1 is opened down to its gold block, or else to one at random: its direct
 * children are gists too and hardly ever say more than it does.
 */
export async function calibrate(input: CalibrationInput): Promise<Calibration> {
  const { tree, item, config, model, rng, nll } = input;
  const gold = item.gold ?? [];
  const layout = startLayout(tree, config, gold, rng);
  const lensNet = lensNetOf(model, config.lensVariant, null);
  const { scores, metrics } = await refocus({
    layout,
    tree,
    config: { ...config, policy: 'lensnet' },
    state: INITIAL_ALLOCATOR_STATE,
    scorer: lensNet,
    embed: (ids) => model.base.embed(ids),
    tailTokens: lensNet.tailTokens,
    words: lensNet.readsWords
      ? new HistoryWords(tree, () => model.tokenizer.createStreamDecoder()).matching(wordMatchOf(model))
      : null,
    reserveTokens: K,
    now: () => 0,
  });
  const ranks = await ranksOf(input);
  const target = Float32Array.from({ length: tree.closedBlockCount }, () => rng.nextFloat());
  rankByGold(target.length, gold).forEach((rank, block) => {
    if (rank > 0) target[block] = 2;
  });

  const { expansions, collapses } = unitsOf({ layout, tree, config });
  const units = [...expansions, ...collapses];
  const isGold = ({ start, end }: Span): boolean => gold.some((span) => span.start < end && start < span.end);
  const chosen = units.filter(isGold).slice(0, MAX_MOVES);
  chosen.push(
    ...sample(
      units.filter((unit) => !isGold(unit)),
      MAX_MOVES - chosen.length,
      rng,
    ),
  );
  // Newest first: each layout then shares a long prefix with the one before.
  chosen.sort((a, b) => b.first - a.first);
  const before = await nll(layout);
  const moves: CalibratedMove[] = [];
  for (const unit of chosen) {
    const { kind, first } = unit;
    const moved =
      kind === 'expand' ? expandToRaw(layout, first, tree, target) : apply(layout, 'collapse', first, tree);
    const gains = (await nll(moved)).map((after, token) => before[token]! - after);
    const worthOf = (chosen: Float64Array): number => worthOfDetail({ kind, gainNats: meanOf(chosen) });
    const best = (id: keyof typeof ranks): number => bestOf(ranks[id], unit);
    moves.push({
      worthNats: worthOf(gains),
      halvesNats: [worthOf(everyOther(gains, 0)), worthOf(everyOther(gains, 1))],
      scores: {
        lensnet: expectedGainNats(unitScore(scores, unit), unit.lod),
        'newest-blocks': best('newest-blocks'),
        'random-blocks': best('random-blocks'),
        'bm25-blocks': best('bm25-blocks'),
        cosine: best('cosine'),
        'gist-attention': best('gist-attention'),
        gold: isGold(unit) ? 1 : 0,
      },
    });
  }
  return { moves, coherence: metrics.coherence };
}

/**
 * The recency assembly; in two of three contexts with a few blocks raw, one of them gold every other time, and
 * where 1,024 old tokens stand as gists, with those gists collapsed into one every
 * other time.
 */
function startLayout(tree: GistTree, config: RunConfig, gold: readonly Span[], rng: Rng): Layout {
  let layout = gistsLayout(tree, config);
  if (rng.nextFloat() < 0.5) {
    const page = legalMoves(layout, { tree, recentStart: Infinity, freeTokens: 0 }).find(
      ({ kind, lod }) => kind === 'collapse' && lod === 1,
    );
    if (page !== undefined) layout = apply(layout, 'collapse', page.first, tree);
  }
  if (rng.nextInt(3) === 0) return layout;
  const blocks = Array.from({ length: SCATTERED_BLOCKS }, () => rng.nextInt(tree.closedBlockCount));
  if (gold.length > 0 && rng.nextFloat() < 0.5) blocks[0] = Math.floor(gold[0]!.start / K);
  for (const block of blocks) {
    const index = entryIndexAt(layout, block * K);
    const hasRoom = layout.usedTokens + EXPANSION_COST <= config.budgetTokens - K;
    if (layout.entries[index]?.lod === 1 && hasRoom) layout = apply(layout, 'expand', index, tree);
  }
  return layout;
}

async function ranksOf({
  tree,
  item,
  model,
  rng,
}: CalibrationInput): Promise<Readonly<Record<Exclude<RankingId, 'lensnet' | 'gold'>, Ranks>>> {
  const blocks = tree.closedBlockCount;
  const gists = blockGists(tree, tree.countAt(1));
  const question = model.base.embed(item.asked.questionIds);
  return {
    'newest-blocks': rankByRecency(blocks),
    'random-blocks': rankAtRandom(blocks, rng),
    'bm25-blocks': await createBm25Ranker({ model, tree }).rank(item.asked, null),
    cosine: rankByCosine(gists, question, tree.hiddenSize),
    'gist-attention': rankByAttention(gists, question, tree.hiddenSize),
  };
}

/** A retriever wants a span as much as its best block. */
function bestOf(ranks: Ranks, { start, end }: Span): number {
  return ranks
    .subarray(Math.floor(start / K), Math.ceil(end / K))
    .reduce((a, b) => Math.max(a, b), -Infinity);
}

/** Spearman(score, worth); null where there are fewer than 4 moves, or all are alike. */
export function rankCorrelation(moves: readonly CalibratedMove[], id: RankingId): number | null {
  if (moves.length < MIN_PAIRS) return null;
  return spearman(
    moves.map(({ scores }) => scores[id]),
    moves.map(({ worthNats }) => worthNats),
  );
}

/**
 * Spearman of what the moves are worth to one half of the answer's tokens and to the other: where the two disagree,
 * the worths are noise, and no score can follow them.
 */
export function worthAgreement(moves: readonly CalibratedMove[]): number | null {
  if (moves.length < MIN_PAIRS) return null;
  return spearman(
    moves.map(({ halvesNats }) => halvesNats[0]),
    moves.map(({ halvesNats }) => halvesNats[1]),
  );
}

/** The moves whose worth stands out from the noise of all. */
export function worthwhileMoves(moves: readonly CalibratedMove[]): readonly CalibratedMove[] {
  const sizes = moves.map(({ worthNats }) => Math.abs(worthNats)).sort((a, b) => a - b);
  const deviation = MEDIAN_TO_DEVIATION * (sizes[Math.floor(sizes.length / 2)] ?? 0);
  const floor = Math.max(WORTHWHILE_NATS, NOISE_DEVIATIONS * deviation);
  return moves.filter(({ worthNats }) => Math.abs(worthNats) >= floor);
}

function everyOther(values: Float64Array, first: 0 | 1): Float64Array {
  return values.filter((_, index) => index % 2 === first);
}
