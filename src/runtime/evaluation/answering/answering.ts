/** Puts every question on one history to every policy: makes the working contexts, reads the answers. */
import type { RunConfig } from '../../../core/trace/config.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import { Rng } from '../../../base/rng.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { usableTokens } from '../../../nn/model-folder/manifest.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { ContinuationReading } from '../../session/continuation.ts';
import { AnswerReader, compareKeys, isSameContext, prepareContext } from './answer-reader.ts';
import type { PreparedContext } from './answer-reader.ts';
import { type EvaluationCase, isRightAnswer, type SharedHistory } from '../cases/evaluation-case.ts';
import { rememberHistory, withQuestion } from '../memory/history-memory.ts';
import type { Span } from '../world/history-writer.ts';
import { type FocusedAnswer, LensRun } from './lens-run.ts';
import {
  expandedLayout,
  fullLayout,
  gistsLayout,
  isRouted,
  rawLayout,
  streamingLayout,
} from '../baselines/layouts.ts';
import { searchOracle } from '../baselines/answer-oracle.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';
import {
  blockGists,
  rankAtRandom,
  rankByAttention,
  rankByBm25,
  rankByCosine,
  rankByGold,
  rankByRecency,
  type Ranks,
} from '../baselines/rankings.ts';
import { meanOf } from '../../../base/statistics.ts';
import type { UnitPorts } from '../plan/suite.ts';

const ORACLE_BUDGETS = 4;

/** What one policy made of one question. */
export interface Answered {
  readonly case: EvaluationCase;
  /** Every token of every value is the first choice. */
  readonly isRight: boolean;
  /** Every token of the answer is. */
  readonly isExact: boolean;
  /** All gold tokens were raw; null where nobody knows them. */
  readonly isRouted: boolean | null;
  /** Mean over the answer's tokens, nats. */
  readonly nll: number;
  /** Tokens from the farthest gold token to the answer; null where nobody knows. */
  readonly distance: number | null;
  readonly utilisation: number;
  /** Where the lens ran. */
  readonly lens: Pick<FocusedAnswer, 'totals' | 'latency' | 'latencyTokens'> | null;
}

/** Why a policy cannot answer at this length; null where it can. */
export function whyUnavailable(
  policy: EvaluationPolicyId,
  historyTokens: number,
  budgetTokens: number,
  hasGold: boolean,
  model: LoadedModel,
): string | null {
  const range = usableTokens(model.manifest);
  if (policy === 'full' && historyTokens > range) {
    return `The history of ${historyTokens} tokens is longer than the ${range} tokens that this base reads well.`;
  }
  if (policy === 'answer-oracle' && historyTokens > budgetTokens * ORACLE_BUDGETS) {
    return `The search would try too many expansions: histories up to ${ORACLE_BUDGETS} budgets only.`;
  }
  if (policy === 'gold' && !hasGold) return 'The cases do not say which tokens hold the answer.';
  return null;
}

/** Rough shares of the work, for progress alone; the gists come first. */
export const GIST_SHARE = 0.25;
const LAYOUT_SHARE = 0.35;

/**
 * @param tree - of the history alone, with all its gists.
 * @param policies - such as can answer at this length.
 * @param offsetTokens - moves all contexts this many tokens along; the history itself stands at 0.
 * @returns by policy, one result a case, in the order of the cases.
 */
export async function answerAll(
  history: SharedHistory,
  tree: GistTree,
  policies: readonly EvaluationPolicyId[],
  config: RunConfig,
  seed: number,
  ports: UnitPorts,
  offsetTokens = 0,
): Promise<Map<EvaluationPolicyId, Answered[]>> {
  const { model, step } = ports;
  const { cases } = history;
  let done = GIST_SHARE;
  const advance = (share: number): Promise<void> => step((done = share));
  const reader = new AnswerReader(model.base, () => step(done));
  try {
    const focuser = new Focuser(tree, history, config, seed, reader, ports, offsetTokens);
    const jobs: Job[] = [];
    for (const [branch, asked] of cases.entries()) {
      await advance(GIST_SHARE + (LAYOUT_SHARE * branch) / cases.length);
      for (const policy of policies) jobs.push(await focuser.focus(policy, asked, branch));
    }
    return await readAll(jobs, reader, (share) =>
      advance(GIST_SHARE + LAYOUT_SHARE + share * (1 - GIST_SHARE - LAYOUT_SHARE)),
    );
  } finally {
    reader.dispose();
  }
}

interface Job {
  readonly policy: EvaluationPolicyId;
  readonly asked: EvaluationCase;
  readonly context: PreparedContext;
  readonly budgetTokens: number;
  readonly lens: Answered['lens'];
}

/** Makes the working context of a policy for a question. */
class Focuser {
  private readonly gists: Float32Array;
  private readonly randomRanks: Ranks;
  private lens: LensRun | null = null;
  private branchTree: { readonly branch: number; readonly tree: GistTree } | null = null;

  constructor(
    private readonly tree: GistTree,
    private readonly history: SharedHistory,
    private readonly config: RunConfig,
    seed: number,
    private readonly reader: AnswerReader,
    private readonly ports: UnitPorts,
    private readonly offsetTokens: number,
  ) {
    this.gists = blockGists(tree, tree.countAt(1));
    this.randomRanks = rankAtRandom(this.blocks, new Rng(seed).split(1));
  }

  private get blocks(): number {
    return this.tree.closedBlockCount;
  }

  async focus(policy: EvaluationPolicyId, asked: EvaluationCase, branch: number): Promise<Job> {
    const { budgetTokens } = this.config;
    if (policy === 'lensnet') {
      const answer = await (await this.lensRun()).ask(asked);
      const context = this.prepare(answer.layout, answer.tree, asked, branch);
      return { policy, asked, context, budgetTokens, lens: answer };
    }
    const tree = await this.askedTree(asked, branch);
    const layout =
      policy === 'answer-oracle'
        ? await searchOracle(tree, this.config, (candidate) => this.nll(candidate, tree, asked, branch))
        : this.layout(policy, asked, tree);
    return { policy, asked, context: this.prepare(layout, tree, asked, branch), budgetTokens, lens: null };
  }

  private layout(
    policy: Exclude<EvaluationPolicyId, 'lensnet' | 'answer-oracle'>,
    asked: EvaluationCase,
    tree: GistTree,
  ): Layout {
    const { config } = this;
    const expanded = (ranks: Ranks): Layout => expandedLayout(tree, config, ranks);
    switch (policy) {
      case 'full':
        return fullLayout(tree);
      case 'streaming':
        return streamingLayout(tree, config);
      case 'gists':
        return gistsLayout(tree, config);
      case 'newest-blocks':
        return expanded(rankByRecency(this.blocks));
      case 'random-blocks':
        return expanded(this.randomRanks);
      case 'bm25-blocks':
        return expanded(rankByBm25(this.tree, this.blocks, asked.questionIds));
      case 'bm25-raw':
        return rawLayout(tree, config, rankByBm25(this.tree, this.blocks, asked.questionIds));
      case 'cosine':
        return expanded(this.byCosine(asked));
      case 'cosine-raw':
        return rawLayout(tree, config, this.byCosine(asked));
      case 'gist-attention':
        return expanded(rankByAttention(this.gists, this.embed(asked.questionIds), tree.hiddenSize));
      case 'gold':
        return expanded(rankByGold(this.blocks, asked.gold ?? []));
    }
  }

  private byCosine(asked: EvaluationCase): Ranks {
    return rankByCosine(this.gists, this.embed(asked.questionIds), this.tree.hiddenSize);
  }

  private embed(ids: Uint32Array): Float32Array {
    return this.ports.model.base.embed(ids);
  }

  private async lensRun(): Promise<LensRun> {
    if (this.lens !== null) return this.lens;
    const { model, clock, gistCache, step } = this.ports;
    const { ids, streamedFrom } = this.history;
    const pause = (): Promise<void> => step(GIST_SHARE);
    const first =
      streamedFrom === undefined
        ? this.tree
        : await rememberHistory(model, ids.subarray(0, streamedFrom), gistCache, pause);
    const more = ids.subarray(streamedFrom ?? ids.length);
    return (this.lens = await LensRun.settle(model, first, this.config, clock, pause, more));
  }

  /** The history with the question behind it, and its gists. */
  private async askedTree(asked: EvaluationCase, branch: number): Promise<GistTree> {
    if (this.branchTree?.branch === branch) return this.branchTree.tree;
    const tree = await withQuestion(this.tree, asked, this.ports.model);
    this.branchTree = { branch, tree };
    return tree;
  }

  private prepare(layout: Layout, tree: GistTree, asked: EvaluationCase, branch: number): PreparedContext {
    const { manifest } = this.ports.model;
    const scheme = positionSchemeOf(this.config, manifest.trainedContextTokens);
    return prepareContext(layout, tree, asked.answerIds, {
      sharedTokens: this.history.ids.length,
      branch,
      scheme,
      offsetTokens: this.offsetTokens,
    });
  }

  private async nll(layout: Layout, tree: GistTree, asked: EvaluationCase, branch: number): Promise<number> {
    return meanOf((await this.reader.read(this.prepare(layout, tree, asked, branch))).nll);
  }
}

/** Read all contexts, neighbours by prefix first; equal ones are read once. */
async function readAll(
  jobs: readonly Job[],
  reader: AnswerReader,
  step: (share: number) => Promise<void>,
): Promise<Map<EvaluationPolicyId, Answered[]>> {
  const order = [...jobs.keys()].sort((a, b) => compareKeys(jobs[a]!.context, jobs[b]!.context));
  const answers: Answered[] = [];
  let last: { readonly context: PreparedContext; readonly reading: ContinuationReading } | null = null;
  for (const [done, index] of order.entries()) {
    await step(done / order.length);
    const job = jobs[index]!;
    const reading: ContinuationReading =
      last !== null && isSameContext(last.context, job.context)
        ? last.reading
        : await reader.read(job.context);
    last = { context: job.context, reading };
    answers[index] = judge(job, reading);
  }
  const byPolicy = new Map<EvaluationPolicyId, Answered[]>();
  for (const [index, { policy }] of jobs.entries()) {
    byPolicy.set(policy, [...(byPolicy.get(policy) ?? []), answers[index]!]);
  }
  return byPolicy;
}

function judge(
  { asked, context, budgetTokens, lens }: Job,
  { nll, isFirstChoice }: ContinuationReading,
): Answered {
  const { gold } = asked;
  const { layout } = context;
  return {
    case: asked,
    isRight: isRightAnswer(asked, isFirstChoice),
    isExact: isFirstChoice.every((hit) => hit === 1),
    isRouted: gold === null ? null : isRouted(layout, gold),
    nll: meanOf(nll),
    distance: gold === null ? null : layout.cursor - farthest(gold),
    utilisation: layout.usedTokens / budgetTokens,
    lens: lens && { totals: lens.totals, latency: lens.latency, latencyTokens: lens.latencyTokens },
  };
}

function farthest(gold: readonly Span[]): number {
  return gold.reduce((least, { start }) => Math.min(least, start), Infinity);
}
