/**
 * Suite `gist`: how much of a deleted span its gists give back to the base, level by level, and whether the gists
 * have collapsed onto each other. As training/train/evaluate_gistnet.py measures it, on documents of this side's writer.
 */
import { tokensPerEntry, type Lod } from '../../../core/tree/ids.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import { hashUint32, Rng } from '../../../base/rng.ts';
import { entryAt, layoutOf } from '../../../core/context/working-context.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { AnswerReader, prepareContext } from '../answering/answer-reader.ts';
import { whyUnavailable } from '../answering/answering.ts';
import type { CellCounts } from '../report/cell.ts';
import { gistSpread } from './gist-spread.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { blockGists } from '../baselines/gist-ranks.ts';
import { writeRecallHistory } from '../tasks/recall-tasks.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import type { WeightedSum } from '../../../base/statistics.ts';
import {
  type EvaluationOptions,
  type EvaluationSuite,
  type EvaluationUnit,
  unitKey,
  type UnitPorts,
} from '../plan/suite.ts';

/** H: the tokens after the span that are scored. */
const HORIZON_TOKENS = 64;
/** Documents stand somewhere in the first tokens of a history, as spans do. */
const OFFSET_TOKENS = 16_000;
const SPREAD_TOKENS = 16_384;

interface Level {
  readonly id: string;
  readonly sentence: string;
  readonly lod: Lod;
  readonly spanTokens: number;
}

const LEVELS: readonly Level[] = [
  { id: 'lod1', sentence: '256 tokens as 8 gists.', lod: 1, spanTokens: 256 },
  { id: 'lod2', sentence: '1,024 tokens as one gist of gists.', lod: 2, spanTokens: 1024 },
  { id: 'lod3', sentence: '32,768 tokens as one gist, two levels up.', lod: 3, spanTokens: 32_768 },
];
const SPREAD = 'spread';
const NO_PROBES = 'This suite trains no probes.';

export const gistSuite: EvaluationSuite = {
  id: 'gist',
  tasks: [
    ...LEVELS.map(({ id, sentence }) => ({ id, sentence })),
    { id: SPREAD, sentence: 'How alike the gists of one long document are.' },
  ],
  // A base that cannot read 32,768 raw tokens gives LOD3 no gap to recover.
  defaultTasks: ['lod1', 'lod2', SPREAD],
  defaultSamples: 100,
  policies: ['full', 'gists'],

  plan(options) {
    const isWanted = (id: string): boolean => (options.tasks ?? gistSuite.defaultTasks).includes(id);
    const unitsOf = (task: string, historyTokens: number, count: number): EvaluationUnit[] =>
      Array.from({ length: count }, (_, index) => ({
        suite: 'gist',
        task,
        templates: null,
        historyTokens,
        index,
        n: 1,
      }));
    return [
      ...LEVELS.filter(({ id }) => isWanted(id)).flatMap(({ id, spanTokens }) =>
        unitsOf(id, spanTokens, options.samples),
      ),
      ...(isWanted(SPREAD) ? unitsOf(SPREAD, SPREAD_TOKENS, 1) : []),
    ];
  },

  run(unit, options, ports) {
    const level = LEVELS.find(({ id }) => id === unit.task);
    return level === undefined ? spreadCells(unit, options, ports) : levelCells(level, unit, options, ports);
  },
};

async function levelCells(
  level: Level,
  unit: EvaluationUnit,
  options: EvaluationOptions,
  ports: UnitPorts,
): Promise<readonly CellCounts[]> {
  const { model, gistCache, step } = ports;
  const { lod, spanTokens } = level;
  const rng = new Rng(hashUint32(options.seed, lod, unit.index));
  const ids = documentOf(spanTokens, unit.index, model, rng);
  const tree = await rememberHistory(model, ids, gistCache, step);
  const gists = [];
  for (let start = 0; start < spanTokens; start += tokensPerEntry(lod)) gists.push(entryAt(lod, start));
  const blocks = [];
  for (let start = 0; start < spanTokens; start += tokensPerEntry(1)) blocks.push(entryAt(0, start));
  const beyondRange = whyUnavailable('full', spanTokens + HORIZON_TOKENS, spanTokens, true, model);
  const contexts = { deleted: [], gists, ...(beyondRange === null ? { full: blocks } : {}) };
  // The first token after the span is never scored: where the span is deleted nothing would stand before it.
  const first = entryAt(0, spanTokens, spanTokens + 1);
  const offsetTokens = rng.nextInt(OFFSET_TOKENS);
  const scheme = positionSchemeOf(options.config, model.manifest.trainedContextTokens);
  const followingTokens = HORIZON_TOKENS;
  const gistInput = 'vector' as const;
  const where = { sharedTokens: ids.length, branch: 0, scheme, gistInput, offsetTokens, followingTokens };
  const reader = new AnswerReader(model, () => step(0.5));
  const nlls = new Map<string, number>();
  try {
    for (const [name, entries] of Object.entries(contexts)) {
      const layout = layoutOf([...entries, first]);
      const { nll } = await reader.read(prepareContext(layout, tree, where), ids.slice(spanTokens + 1));
      nlls.set(name, nll.reduce((sum, nats) => sum + nats, 0) / nll.length);
    }
  } finally {
    reader.dispose();
  }
  const deleted = nlls.get('deleted')!;
  const full = nlls.get('full');
  return ['full', 'gists', 'deleted'].map((policy) => {
    const nll = nlls.get(policy);
    const figures: Partial<Record<FigureId, WeightedSum>> =
      nll === undefined
        ? {}
        : {
            nll: [1, nll],
            ...(full === undefined
              ? {}
              : { deltaNll: [1, nll - full], gapRecovered: [deleted - full, deleted - nll] }),
          };
    const reason = beyondRange ?? '';
    const why = { nll: reason, deltaNll: reason, gapRecovered: reason };
    return {
      task: unit.task,
      policy,
      templates: null,
      heads: 1,
      historyTokens: spanTokens,
      // What the span costs as gists: the ratio to its length is the compression.
      budgetTokens: gists.length,
      clusters: nll === undefined ? [] : [{ cluster: unitKey(unit), n: 1, figures }],
      ...(beyondRange === null ? {} : { why }),
    };
  });
}

/**
 * A span, and what follows it: a question about a fact in it, its answer, and prose. Without the question most
 * continuations would be as easy to read without the span.
 *
 * @returns `[span + horizon + 1]`.
 */
function documentOf(spanTokens: number, index: number, model: LoadedModel, rng: Rng): Uint32Array {
  const historyTokens = spanTokens + HORIZON_TOKENS;
  const { ids, cases } = writeRecallHistory(
    'multi-key',
    { historyTokens, recentTokens: HORIZON_TOKENS, questions: 1, index },
    model,
    rng,
  );
  const { asked, referenceIds } = cases[0]!;
  const following = [
    ...asked.userIds,
    ...asked.assistantIds,
    ...referenceIds,
    ...model.tokenizer.encode('\n'),
    ...ids.subarray(spanTokens),
  ];
  const whole = new Uint32Array(spanTokens + HORIZON_TOKENS + 1);
  whole.set(ids.subarray(0, spanTokens));
  whole.set(following.slice(0, HORIZON_TOKENS + 1), spanTokens);
  return whole;
}

async function spreadCells(
  unit: EvaluationUnit,
  options: EvaluationOptions,
  { model, gistCache, step }: UnitPorts,
): Promise<readonly CellCounts[]> {
  const place = {
    historyTokens: SPREAD_TOKENS,
    recentTokens: HORIZON_TOKENS,
    questions: 1,
    index: unit.index,
  };
  const rng = new Rng(hashUint32(options.seed, LEVELS.length + 1, unit.index));
  const { ids } = writeRecallHistory('multi-key', place, model, rng);
  const tree = await rememberHistory(model, ids, gistCache, step);
  const count = tree.countAt(1);
  const { pairwiseCosine, effectiveRank } = gistSpread(blockGists(tree, count), tree.hiddenSize);
  const figures: Partial<Record<FigureId, WeightedSum>> = {
    pairwiseCosine: [count, count * pairwiseCosine],
    effectiveRank: [count, count * effectiveRank],
  };
  return [
    {
      task: unit.task,
      policy: 'gists',
      templates: null,
      heads: 1,
      historyTokens: SPREAD_TOKENS,
      budgetTokens: count,
      clusters: [{ cluster: unitKey(unit), n: count, figures }],
      why: { probeEntity: NO_PROBES, probeRelation: NO_PROBES, probeValue: NO_PROBES },
    },
  ];
}
