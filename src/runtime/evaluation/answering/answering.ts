/** Puts every question on one history to every policy: makes the working contexts, decodes the answers, judges them. */
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { usableTokens } from '../../../nn/model-folder/manifest.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { meanOf } from '../../../base/statistics.ts';
import type { ContinuationReading } from '../../session/decoding/continuation.ts';
import { searchOracle } from '../baselines/answer-oracle.ts';
import type { BaselineHistory, BlockRanker } from '../baselines/baseline.ts';
import { type BaselineId, BASELINES } from '../baselines/baselines.ts';
import { isRouted } from '../baselines/layouts.ts';
import { type EvaluationPolicyId, isLive, livePolicy, type LivePolicyId } from '../baselines/policies.ts';
import { retrievalHeadsOf, whyNoRetrievalHeads } from '../baselines/qr-head.ts';
import { type EvaluationCase, isReferenceRead, type SharedHistory } from '../cases/evaluation-case.ts';
import { judgeAnswer, type Verdict } from '../cases/expected-answer.ts';
import { type HistoryKeys, readHistoryKeys } from '../memory/history-keys.ts';
import { rememberHistory, withQuestion } from '../memory/history-memory.ts';
import type { UnitPorts } from '../plan/suite.ts';
import type { Span } from '../world/history-writer.ts';
import {
  AnswerReader,
  compareKeys,
  type DecodedAnswer,
  isSameContext,
  prepareContext,
} from './answer-reader.ts';
import type { PreparedContext } from './answer-reader.ts';
import { type FocusedContext, type LiveAnswer, LiveRun } from './live-run.ts';
import { type EntryScores, ranksOfEntries } from './question-trace.ts';

const ORACLE_BUDGETS = 4;

/** What one policy made of one question. */
export interface Answered {
  readonly case: EvaluationCase;
  /** The freely decoded answer; null where nothing was to be decoded. */
  readonly decoded: DecodedAnswer | null;
  readonly verdict: Verdict | null;
  /** Teacher-forced: every token of every value is the first choice; null where the reference was not read. */
  readonly isReferenceRead: boolean | null;
  /** All gold tokens were raw when the answer began; null where nobody knows them. */
  readonly isRouted: boolean | null;
  /** Of the reference, mean over its tokens, nats; null where it was not read. */
  readonly nll: number | null;
  /** Tokens from the farthest gold token to the answer; null where nobody knows. */
  readonly distance: number | null;
  /** When the answer begins. */
  readonly layout: Layout;
  /** What the policy gave its entries last. */
  readonly scores: EntryScores;
  readonly utilisation: number;
  /** Tokens that the base had to read for this question, its share of what is read once a history included. */
  readonly baseTokens: number;
  /** Wall time of focusing and decoding. */
  readonly ms: number;
  /** Where the page's loop ran. */
  readonly live: Live | null;
}

type Live = Pick<FocusedContext, 'totals'> &
  Pick<LiveAnswer, 'latency' | 'latencyTokens' | 'events'> &
  Pick<LiveRun, 'streaming' | 'opening'>;

/** Why a policy cannot answer at this length; null where it can. */
export function whyUnavailable(
  policy: EvaluationPolicyId,
  historyTokens: number,
  budgetTokens: number,
  hasGold: boolean,
  model: LoadedModel,
  hasPassage = false,
): string | null {
  const range = usableTokens(model.manifest);
  if (policy === 'full' && historyTokens > range) {
    return `The history of ${historyTokens} tokens is longer than the ${range} tokens that this base reads well.`;
  }
  if (policy === 'answer-oracle' && historyTokens > budgetTokens * ORACLE_BUDGETS) {
    return `The search would try too many expansions: histories up to ${ORACLE_BUDGETS} budgets only.`;
  }
  if (policy === 'qr-head') return whyNoRetrievalHeads(model);
  if (policy === 'gold-passage' && !hasPassage) return 'The cases do not say which passage they ask about.';
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
 * @param asked - what policies of the page are asked in, where that stands already.
 * @param readsReference - false: answers are decoded and nothing else.
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
  asked: LiveRun | null = null,
  readsReference = true,
): Promise<Map<EvaluationPolicyId, Answered[]>> {
  const { model, step, clock } = ports;
  const { cases } = history;
  let done = GIST_SHARE;
  const advance = (share: number): Promise<void> => step((done = share));
  const pause = (): Promise<void> => step(done);
  const reader = new AnswerReader(model, pause);
  const keys = new SharedKeys(tree, ports, pause);
  const source = { model, tree, seed, pause, keys: () => keys.read() };
  try {
    const focuser = new Focuser(history, source, config, reader, ports, offsetTokens, asked);
    const jobs: Job[] = [];
    for (const [branch, item] of cases.entries()) {
      await advance(GIST_SHARE + (LAYOUT_SHARE * branch) / cases.length);
      for (const policy of policies) jobs.push(await focuser.focus(policy, item, branch));
    }
    return await readAll(jobs, reader, readsReference, clock.now.bind(clock), (share) =>
      advance(GIST_SHARE + LAYOUT_SHARE + share * (1 - GIST_SHARE - LAYOUT_SHARE)),
    );
  } finally {
    reader.dispose();
    await keys.dispose();
  }
}

/** The base's keys over the history, read at most once for all baselines. */
class SharedKeys {
  private reading: Promise<HistoryKeys> | null = null;

  constructor(
    private readonly tree: GistTree,
    private readonly ports: UnitPorts,
    private readonly pause: () => Promise<void>,
  ) {}

  read(): Promise<HistoryKeys> {
    const { model, keyCache, clock } = this.ports;
    const heads = retrievalHeadsOf(model);
    return (this.reading ??= readHistoryKeys(model, this.tree, heads, keyCache, clock, this.pause));
  }

  async dispose(): Promise<void> {
    const keys = await this.reading?.catch(() => null);
    keys?.dispose();
  }
}

interface Job {
  readonly policy: EvaluationPolicyId;
  readonly item: EvaluationCase;
  readonly context: PreparedContext;
  readonly scores: EntryScores;
  readonly budgetTokens: number;
  /** What was decoded on the way; null where it is still to be decoded from the context. */
  readonly decoded: DecodedAnswer | null;
  readonly focusMs: number;
  /** That the base read beside the context. */
  readonly extraBaseTokens: number;
  readonly live: Live | null;
}

interface MadeRanker {
  readonly ranker: BlockRanker;
  /** What is done once a history. */
  readonly msOnce: number;
}

/** Makes the working context of a policy for a question. */
class Focuser {
  private readonly rankers = new Map<unknown, MadeRanker>();
  private readonly runs = new Map<LivePolicyId, Promise<LiveRun>>();
  private branchTree: { readonly branch: number; readonly tree: GistTree } | null = null;

  constructor(
    private readonly history: SharedHistory,
    private readonly source: BaselineHistory,
    private readonly config: RunConfig,
    private readonly reader: AnswerReader,
    private readonly ports: UnitPorts,
    private readonly offsetTokens: number,
    private readonly asked: LiveRun | null,
  ) {}

  async focus(policy: EvaluationPolicyId, item: EvaluationCase, branch: number): Promise<Job> {
    const { clock } = this.ports;
    const { budgetTokens } = this.config;
    const tree = await this.askedTree(item, branch);
    if (isLive(policy)) {
      const run = await this.runOf(policy);
      const from = clock.now();
      const focused = item.expected === null ? await run.focus(item.asked) : null;
      const answer = focused ?? (await run.answer(item.asked, item.gold));
      const {
        latency = null,
        latencyTokens = null,
        decoded = null,
        scores = [],
        events = [],
      } = answer as Partial<LiveAnswer>;
      const { totals } = answer;
      const { streaming, opening } = run;
      const live = { totals, latency, latencyTokens, events, streaming, opening };
      const context = this.prepare(answer.layout, answer.tree, item, branch);
      const focusMs = clock.now() - from;
      return { policy, item, context, scores, budgetTokens, decoded, focusMs, extraBaseTokens: 0, live };
    }
    const ranker = policy === 'answer-oracle' ? null : await this.rankerOf(policy);
    const from = clock.now();
    const { layout, scores, extraBaseTokens } = await this.layout(policy, ranker, item, branch, tree);
    const context = this.prepare(layout, tree, item, branch);
    // What is done once a history is each question's in equal parts.
    const focusMs = clock.now() - from + (ranker?.msOnce ?? 0) / this.history.cases.length;
    const job = { policy, item, context, scores, budgetTokens, focusMs, extraBaseTokens };
    return { ...job, decoded: null, live: null };
  }

  private async layout(
    policy: BaselineId | 'answer-oracle',
    made: MadeRanker | null,
    item: EvaluationCase,
    branch: number,
    tree: GistTree,
  ): Promise<{ readonly layout: Layout; readonly scores: EntryScores; readonly extraBaseTokens: number }> {
    if (made === null) {
      let tried = 0;
      const layout = await searchOracle(tree, this.config, (candidate) => {
        tried += candidate.usedTokens;
        return this.nll(candidate, tree, item, branch);
      });
      return { layout, scores: layout.entries.map(() => null), extraBaseTokens: tried };
    }
    const baseline = BASELINES.find(({ id }) => id === policy)!;
    const { ranker } = made;
    const before = ranker.baseTokens ?? 0;
    const ranks = await ranker.rank(item.asked, item.gold, item.passage);
    const once = (ranker.baseTokensOnce ?? 0) / this.history.cases.length;
    const extraBaseTokens = (ranker.baseTokens ?? 0) - before + once;
    const layout = baseline.open(tree, this.config, ranks);
    return { layout, scores: ranksOfEntries(layout, ranks), extraBaseTokens };
  }

  /** Baselines that differ in how they open blocks share one. */
  private async rankerOf(policy: BaselineId): Promise<MadeRanker> {
    const { clock } = this.ports;
    const { createRanker } = BASELINES.find(({ id }) => id === policy)!;
    const known = this.rankers.get(createRanker);
    if (known !== undefined) return known;
    const from = clock.now();
    const ranker: BlockRanker = await createRanker(this.source);
    const made = { ranker, msOnce: ranker.msOnce ?? clock.now() - from };
    this.rankers.set(createRanker, made);
    return made;
  }

  private runOf(policy: LivePolicyId): Promise<LiveRun> {
    const known = this.runs.get(policy) ?? this.settle(policy);
    this.runs.set(policy, known);
    return known;
  }

  private async settle(id: LivePolicyId): Promise<LiveRun> {
    if (this.asked !== null) return this.asked;
    const { clock, gistCache, step } = this.ports;
    const { policy, model } = livePolicy(id, this.ports.model);
    const { ids, streamedFrom } = this.history;
    const pause = (): Promise<void> => step(GIST_SHARE);
    const first =
      streamedFrom === undefined
        ? this.source.tree
        : await rememberHistory(model, ids.subarray(0, streamedFrom), gistCache, pause);
    const more = ids.subarray(streamedFrom ?? ids.length);
    return LiveRun.settle(policy, model, first, this.config, clock, pause, more);
  }

  /** The history with the question behind it, and its gists. */
  private async askedTree(item: EvaluationCase, branch: number): Promise<GistTree> {
    if (this.branchTree?.branch === branch) return this.branchTree.tree;
    const tree = await withQuestion(this.source.tree, item.asked, this.ports.model);
    this.branchTree = { branch, tree };
    return tree;
  }

  private prepare(layout: Layout, tree: GistTree, item: EvaluationCase, branch: number): PreparedContext {
    const { manifest } = this.ports.model;
    const scheme = positionSchemeOf(this.config, manifest.trainedContextTokens);
    return prepareContext(layout, tree, {
      sharedTokens: this.history.ids.length,
      branch,
      scheme,
      gistInput: this.config.gistInput,
      offsetTokens: this.offsetTokens,
      followingTokens: item.referenceIds.length,
    });
  }

  private async nll(layout: Layout, tree: GistTree, item: EvaluationCase, branch: number): Promise<number> {
    const context = this.prepare(layout, tree, item, branch);
    return meanOf((await this.reader.read(context, item.referenceIds)).nll);
  }
}

/** What the base made of one context. */
interface Outcome {
  readonly decoded: DecodedAnswer | null;
  readonly decodeMs: number;
  /** Null where the reference was not read. */
  readonly reading: ContinuationReading | null;
}

interface Read extends Outcome {
  readonly job: Job;
}

/**
 * Decode and read all contexts, neighbours by prefix first; equal ones are decoded once. What is decoded is
 * decoded before the reference is looked at.
 */
async function readAll(
  jobs: readonly Job[],
  reader: AnswerReader,
  readsReference: boolean,
  now: () => number,
  step: (share: number) => Promise<void>,
): Promise<Map<EvaluationPolicyId, Answered[]>> {
  const order = [...jobs.keys()].sort((a, b) => compareKeys(jobs[a]!.context, jobs[b]!.context));
  const answers: Answered[] = [];
  let last: Read | null = null;
  for (const [done, index] of order.entries()) {
    await step(done / order.length);
    const job = jobs[index]!;
    const { context, item } = job;
    const same: Read | null = sameAs(last, job);
    const from = now();
    const isToDecode = job.decoded === null && item.expected !== null;
    const known: DecodedAnswer | null = same?.job.live === null ? same.decoded : null;
    const decoded: DecodedAnswer | null = isToDecode
      ? (known ?? (await reader.decode(context)))
      : job.decoded;
    const decodeMs: number = same === null || known === null ? now() - from : same.decodeMs;
    const reading: ContinuationReading | null = !readsReference
      ? null
      : (same?.reading ?? (await reader.read(context, item.referenceIds)));
    last = { job, decoded, decodeMs, reading };
    answers[index] = judge(job, last);
  }
  const byPolicy = new Map<EvaluationPolicyId, Answered[]>();
  for (const [index, { policy }] of jobs.entries()) {
    byPolicy.set(policy, [...(byPolicy.get(policy) ?? []), answers[index]!]);
  }
  return byPolicy;
}

function sameAs(last: Read | null, { item, context }: Job): Read | null {
  return last?.job.item === item && isSameContext(last.job.context, context) ? last : null;
}

function judge(
  { item, context, scores, budgetTokens, focusMs, extraBaseTokens, live }: Job,
  { decoded, decodeMs, reading }: Outcome,
): Answered {
  const { gold, expected } = item;
  const { layout } = context;
  return {
    case: item,
    decoded,
    verdict: expected === null || decoded === null ? null : judgeAnswer(expected, decoded.text),
    isReferenceRead: reading === null ? null : isReferenceRead(item, reading.isFirstChoice),
    isRouted: gold === null ? null : isRouted(layout, gold),
    nll: reading === null ? null : meanOf(reading.nll),
    distance: gold === null || gold.length === 0 ? null : layout.cursor - farthest(gold),
    layout,
    scores,
    utilisation: layout.usedTokens / budgetTokens,
    baseTokens: context.read.usedTokens + (decoded?.tokens ?? 0) + extraBaseTokens,
    ms: focusMs + decodeMs,
    live,
  };
}

function farthest(gold: readonly Span[]): number {
  return gold.reduce((least, { start }) => Math.min(least, start), Infinity);
}
