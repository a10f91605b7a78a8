/**
 * Rebuilds a session's memory from what storage holds: tree, layout, allocator state and node counters come out
 * as they were. Gists that are missing are left to the gist builder.
 */
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { type Lod, K } from '../../../core/tree/ids.ts';
import { checkInvariants } from '../../../core/context/invariants.ts';
import { commonRuns } from '../../../core/tree/node-runs.ts';
import type { NodeRun } from '../../../core/tree/ids.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import { TreeError, type GistSource, GistTree, type RefreshStanding } from '../../../core/tree/gist-tree.ts';
import type { NodeColumns } from '../../../core/tree/node-columns.ts';
import { PostingSegment } from '../../../core/lexical/posting-segment.ts';
import { PIECES_REACH_TOKENS, type SealedIndex } from '../../../core/lexical/window-index.ts';
import { appendAndFit } from '../../../core/allocator/between-refocuses.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { ChatMessageRecord, LoadedCheckpoint, StoredSession } from '../../../storage/ports.ts';
import { EngineError } from '../messages/errors.ts';
import type { HeadState } from '../head/head.ts';
import type { FocusState } from '../head/multi-head-focus.ts';
import type { StagingState } from '../head/staging.ts';
import { headConfig, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import type { Routing } from '../../../core/heads/router.ts';
import { replayFrames } from './frame-replay.ts';

export interface RestoredTree {
  readonly tree: GistTree;
  /** Its columns as the checkpoint has them; null without one. */
  readonly columns: readonly NodeColumns[] | null;
  /** What could not be used as stored, in words. */
  readonly damage: readonly string[];
}

const UNKNOWN_ORIGIN: Provenance = {
  role: 'document',
  documentId: 'unknown',
  title: 'Unknown',
  wallClockMs: 0,
};

/** @throws {EngineError} `model-mismatch` if another model made the session. */
export function mustFitModel({ record, tokens }: StoredSession, model: LoadedModel): void {
  if (record.modelId !== model.id || tokens.some((id) => id >= model.tokenizer.vocabularySize)) {
    throw new EngineError(
      'model-mismatch',
      `The session "${record.title}" was made with the model "${record.modelId}"; "${model.id}" is loaded.`,
      'The session is unchanged in storage.',
      `Load the model "${record.modelId}", then open the session again.`,
    );
  }
}

/**
 * The tree with every stored token, and the stored gists that still hold.
 *
 * @param source - of the gists that a checkpoint lets be left out, for the tree that is made; absent without one.
 * @throws {EngineError} `model-mismatch` if another model made the session; {CheckpointError}
 */
export function restoreTree(
  stored: StoredSession,
  model: LoadedModel,
  source?: (tree: GistTree) => GistSource,
): RestoredTree {
  const { record, checkpoint } = stored;
  const damage: string[] = [];
  mustFitModel(stored, model);
  const tree = new GistTree({
    hiddenSize: model.base.hiddenSize,
    maxLod: model.manifest.maxLod as Lod,
    gistVersion: storedVersion(stored, model),
  });
  appendStoredTokens(tree, stored);
  restoreGists(tree, stored, source?.(tree) ?? null, damage);
  if (checkpoint !== undefined) adoptCounts(tree, checkpoint);
  if (record.modelHash !== model.hash) {
    const version = tree.gistVersion + 1;
    tree.refreshGists(version, refreshBefore(stored, model));
    if (tree.staleGistCount > 0)
      damage.push(
        'The weights changed since the session was stored: its gists are made anew while it is used.',
      );
  }
  return { tree, damage, columns: checkpoint === undefined ? null : tree.forkColumns() };
}

/** The version of the GistNet that made the gists before any refresh that is under way. */
function storedVersion({ gistStanding }: StoredSession, model: LoadedModel): number {
  if (gistStanding === null) return model.gistNet.version;
  const { version, refresh } = gistStanding;
  // A refresh that another model began counts as the past.
  return refresh?.modelHash === model.hash ? version - 1 : version;
}

/** How far this model has come with making the gists anew; null if it has not begun. */
function refreshBefore({ gistStanding }: StoredSession, model: LoadedModel): RefreshStanding | null {
  const refresh = gistStanding?.refresh ?? null;
  return refresh?.modelHash === model.hash ? refresh : null;
}

/** What was loaded from a checkpoint cannot be used: everything has to be loaded. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

function adoptCounts(tree: GistTree, { pages }: LoadedCheckpoint): void {
  try {
    for (const page of pages) tree.metadata(page.lod).adoptPage(page);
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof TreeError)) throw error;
    throw new CheckpointError(`The checkpoint does not fit the history (${error.message}).`);
  }
}

/** The stored index of a history's words; null, with the damage, where it has to be built from the tokens. */
export function restoreIndex({ index, tokens }: StoredSession, damage: string[]): SealedIndex | null {
  try {
    const segments = index.map(({ bytes }) => new PostingSegment(bytes));
    let end = 0;
    for (const segment of segments) {
      if (segment.firstToken !== end) throw new RangeError('Its segments do not follow one another.');
      end = segment.endToken;
    }
    if (end > tokens.length) throw new RangeError('It reaches behind the tokens.');
    const lastTokens = tokens.subarray(Math.max(0, end - PIECES_REACH_TOKENS), end);
    return segments.length === 0 ? null : { segments, lastTokens };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    damage.push(`The index of words is built again from the tokens: ${error.message}`);
    return null;
  }
}

/** Take away what is cold; all gists must be there again. */
export function withholdCold(tree: GistTree, cold: readonly NodeRun[]): void {
  tree.withhold(commonRuns(cold, nodesOf(tree)));
}

/** All nodes that the tree has. */
function nodesOf(tree: GistTree): readonly NodeRun[] {
  return Array.from({ length: tree.maxLod + 1 }, (_, lod) => ({ lod, first: 0, count: tree.countAt(lod) }));
}

/** Tokens in the order they came, each with the step and the origin that were recorded. */
function appendStoredTokens(tree: GistTree, { tokens, events, provenance, checkpoint }: StoredSession): void {
  let nextRun = 0;
  const append = (end: number, step: number): void => {
    while (tree.tokenCount < end) {
      while (nextRun < provenance.length && provenance[nextRun]!.end <= tree.tokenCount) nextRun++;
      const run = provenance[nextRun];
      const isInside = run !== undefined && run.start <= tree.tokenCount;
      const until = Math.min(end, isInside ? run.end : (run?.start ?? end));
      tree.appendTokens(tokens.subarray(tree.tokenCount, until), isInside ? run : UNKNOWN_ORIGIN, step);
    }
  };
  // When these came stands in the checkpoint's pages.
  append(checkpoint?.tokenCount ?? 0, 0);
  for (const event of events) {
    if (event.type === 'ingest' && event.start === tree.tokenCount) {
      append(Math.min(event.end, tokens.length), event.step);
    }
  }
  append(tokens.length, 0);
}

function restoreGists(
  tree: GistTree,
  { gists, events, checkpoint }: StoredSession,
  source: GistSource | null,
  damage: string[],
): void {
  for (const { level, hiddenSize, values } of [...gists].sort((a, b) => a.level - b.level)) {
    if (hiddenSize !== tree.hiddenSize || level < 1 || level > tree.maxLod) {
      damage.push(`The stored LOD${level} gists have ${hiddenSize} components: they are recomputed.`);
      continue;
    }
    const leftOut = level === 1 ? (checkpoint?.gistsLeftOut ?? 0) : 0;
    if (leftOut > 0 && source !== null) tree.leaveOut(level as Lod, leftOut, source);
    const children = level === 1 ? tree.closedBlockCount : Math.floor(tree.countAt(level - 1) / K);
    const count = Math.min(leftOut + values.length / hiddenSize, children);
    const set = (end: number, step: number): void => {
      const first = tree.countAt(level);
      if (end <= first) return;
      const bits = values.subarray((first - leftOut) * hiddenSize, (end - leftOut) * hiddenSize);
      tree.setGists(level as Lod, first, bits, step);
    };
    try {
      for (const event of events) {
        if (event.type !== 'gist' || event.lod !== level) continue;
        if (event.firstIndex <= tree.countAt(level)) {
          set(Math.min(event.firstIndex + event.count, count), event.step);
        }
      }
      set(count, 0);
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      damage.push(
        `Stored LOD${level} gists from ${tree.countAt(level)} on are unusable: they are recomputed.`,
      );
    }
  }
}

/**
 * Memory and heads as they were. @param tree - must hold every gist again. @param damage - what could not be used as
 * stored is added, in words.
 */
export function restoreFocus(
  stored: StoredSession,
  tree: GistTree,
  config: RunConfig,
  damage: string[],
): FocusState {
  const restore = (head: number) => restoreHead(stored, tree, headConfig(config, head), head, damage);
  return {
    tree,
    heads: Array.from({ length: config.heads }, (_, head) => restore(head)),
    staging: config.stagingBudgetTokens > 0 ? restoreStaging(stored, tree, config, damage) : undefined,
    routing: lastRouting(stored, config),
  };
}

/** The node counters as its heads left them; for a tree that nobody focuses. */
export function restoreNodeCounters({ events }: StoredSession, tree: GistTree, config: RunConfig): void {
  for (let head = 0; head < config.heads; head++) replayFrames(events, tree, headConfig(config, head), head);
  if (config.stagingBudgetTokens > 0) {
    replayFrames(events, tree, headConfig(config, STAGING_HEAD), STAGING_HEAD);
  }
}

/** What the router chose last; undefined where it has to choose anew. */
function lastRouting({ events }: StoredSession, { heads }: RunConfig): Routing | undefined {
  const last = events.findLast((event) => event.type === 'router');
  if (last?.type !== 'router' || last.utilities.length !== heads) return undefined;
  const { utilities, chosen, confidence } = last;
  return { utilities, chosen, confidence };
}

/**
 * A head as it was: its last recorded layout with the tokens that came after it. A layout that does not fit the tree
 * is replaced by the recency assembly.
 */
function restoreHead(
  { events, checkpoint }: StoredSession,
  tree: GistTree,
  config: RunConfig,
  head: number,
  damage: string[],
): HeadState {
  const replayed = replayFrames(events, tree, config, head, checkpoint);
  const state = replayed?.allocator ?? INITIAL_ALLOCATOR_STATE;
  if (replayed !== null) {
    try {
      const { layout, allocator, scores } = replayed;
      const carried = scores === null ? {} : { scores };
      const fit = appendAndFit({ tree, config, state: allocator, layout, ...carried }, tree.tokenCount);
      if (checkInvariants(fit.layout, tree, config).length === 0) {
        return { layout: fit.layout, allocator: fit.state, scores: fit.scores };
      }
    } catch {
      // A trace that does not fit its tokens: the recency assembly below always does.
    }
    damage.push('The recorded working context did not fit the stored tokens: it was rebuilt by recency.');
  }
  return { layout: assembleByRecency(tree, config, K).layout, allocator: { ...state, cooldowns: [] } };
}

/**
 * The staging context as its last refocus left it: tokens that came after that have not reached it. Where storage has
 * no scores of it, and its frames hold none, since it is so wide, it lends nothing until it is refocused: it begins
 * from its layout.
 */
function restoreStaging(
  { events, checkpoint, staging: stored }: StoredSession,
  tree: GistTree,
  config: RunConfig,
  damage: string[],
): StagingState | undefined {
  const isOwn = (event: StoredSession['events'][number]) =>
    event.type === 'refocus' && event.head === STAGING_HEAD;
  const own = headConfig(config, STAGING_HEAD);
  const upTo = events.slice(0, events.findLastIndex(isOwn) + 1);
  const replayed = replayFrames(upTo, tree, own, STAGING_HEAD, checkpoint);
  if (replayed === null) return undefined;
  const { layout, allocator } = replayed;
  if (layout.cursor > tree.tokenCount || checkInvariants(layout, tree, own).length > 0) {
    damage.push('The recorded staging context did not fit the stored tokens: it begins anew.');
    return undefined;
  }
  const served = events.findLast((event) => event.type === 'staging');
  const { refocusMs, servedTokens } = served ?? { refocusMs: 0, servedTokens: 0 };
  const fits = stored?.step === allocator.step && stored.scores.length === layout.entries.length;
  const scores = fits ? stored.scores : (replayed.scores ?? undefined);
  const seenTo = scores === undefined ? null : layout.cursor;
  const isSettled = fits && stored.isSettled;
  return { layout, allocator, scores, seenTo, refocusMs, servedTokens, isSettled };
}

/** A question whose answer is not complete, because the worker died while it was decoded; null if there is none. */
export function interruptedTurn(
  { chat, events }: StoredSession,
  tree: GistTree,
): { readonly question: ChatMessageRecord; readonly isSettled: boolean } | null {
  const question = chat.at(-1);
  if (question?.role !== 'user') return null;
  const [asked] = tree.provenanceOf(question.start, question.end);
  const after = tree.provenanceOf(question.end, tree.tokenCount);
  if (asked === undefined || after.some((run) => run.documentId !== asked.documentId)) return null;
  const frame = events.findLast((event) => event.type === 'refocus');
  return { question, isSettled: frame?.trigger === 'turn-end' && frame.cursor === tree.tokenCount };
}
