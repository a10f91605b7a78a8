/** Sessions for the suites that measure the whole loop: one that stores what it reads, and one over a long history. */
import type { Clock } from '../../src/base/clock.ts';
import { Rng } from '../../src/base/rng.ts';
import { assembleByRecency } from '../../src/core/allocator/assembly.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import type { SealedIndex } from '../../src/core/lexical/window-index.ts';
import { GistTree } from '../../src/core/tree/gist-tree.ts';
import { K, type Lod } from '../../src/core/tree/ids.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { Session } from '../../src/runtime/session/session.ts';
import { createMemoryStore } from '../../src/storage/memory/memory-store.ts';
import type { SessionHandle, SessionId, SessionRecord } from '../../src/storage/ports.ts';
import { processorMs } from './measure.ts';
import { beginReading } from './reading-session.ts';

const ORIGIN = { role: 'document', documentId: 'bench', title: 'bench', wallClockMs: 0 } as const;

const processorClock: Clock = { now: processorMs, wallClockMs: () => 0 };

/** A session that reads `ids` as fast as it can, gists and storage (in memory) included. */
export async function readAndStore(
  model: LoadedModel,
  ids: Uint32Array,
  config: RunConfig,
): Promise<{ readonly handle: SessionHandle; readonly close: () => Promise<void> }> {
  const { handle, session, read } = await beginReading(createMemoryStore(), model, 'bench', config);
  await read(ids, ORIGIN);
  await session.steps.flush('strict');
  return { handle, close: () => session.close() };
}

/** A history of random tokens with gists of no meaning: what is measured does not depend on either. */
export function longHistory(model: LoadedModel, tokens: number, seed: number): GistTree {
  const rng = new Rng(seed);
  const { hiddenSize } = model.base;
  const tree = new GistTree({
    hiddenSize,
    maxLod: model.manifest.maxLod as Lod,
    gistVersion: model.gistNet.version,
  });
  const words = Math.min(1000, model.tokenizer.vocabularySize);
  tree.appendTokens(
    Uint32Array.from({ length: tokens }, () => rng.nextInt(words)),
    ORIGIN,
  );
  for (let work = tree.nextGistWork(K * K); work !== null; work = tree.nextGistWork(K * K)) {
    const { lod, firstIndex, count } = work;
    tree.setGists(
      lod,
      firstIndex,
      Uint16Array.from({ length: count * hiddenSize }, () => 0x2000 + rng.nextInt(64)),
    );
  }
  return tree;
}

/** What one answer over a history costs, token by token. */
export interface AnswerCost {
  /** Of tokens behind which no refocus stood: the base alone. */
  readonly decodeMs: readonly number[];
  /** Of each refocus of the answer: score, allocate, and what its first token took longer. */
  readonly focusMs: readonly number[];
  /** Of it, score and allocate. The rest is the part of the cache that the moves changed, up to all of it. */
  readonly scoreMs: readonly number[];
  /**
   * All that focus took of the answer over what its tokens take without: refocuses, blocks that made room between two,
   * and what the first token behind either took longer.
   */
  readonly focusShare: number;
}

export interface AnswerOptions {
  readonly answerTokens: number;
  /** Of the tree's words; built from its tokens where absent. */
  readonly index?: SealedIndex;
  /**
   * Count from the first refocus that has to make room. Before, the working context is not full, and how far it is from
   * that depends on the history's length.
   */
  readonly whenFull?: boolean;
}

/** Decode an answer after a question, and take the costs, in processor time, from its telemetry. */
export async function answerCost(
  model: LoadedModel,
  tree: GistTree,
  config: RunConfig,
  { answerTokens, index, whenFull = false }: AnswerOptions,
): Promise<AnswerCost> {
  const { layout } = assembleByRecency(tree, config, K);
  const events: TelemetryEvent[] = [];
  const live = { ...config, maxNewTokens: answerTokens, stopTexts: '\u0001never' };
  const record: SessionRecord = {
    id: 'bench' as SessionId,
    title: 'bench',
    createdAt: 0,
    updatedAt: 0,
    modelId: model.id,
    modelHash: model.hash,
    tokenCount: tree.tokenCount,
    stepCount: 0,
    config: live,
  };
  const session = new Session({
    model,
    backend: 'bench',
    handle: null,
    record,
    focus: { tree, heads: [{ layout, allocator: INITIAL_ALLOCATOR_STATE }], index },
    clock: processorClock,
    notify: (notice) => {
      if (notice.kind === 'telemetry') events.push(...notice.events);
    },
  });
  try {
    await session.ask('Where is the lantern?');
  } finally {
    await session.close();
  }
  return costsOf(events, whenFull);
}

/** The first token follows the prefill and is left out. @param whenFull - as `AnswerOptions` has it. */
export function costsOf(events: readonly TelemetryEvent[], whenFull = false): AnswerCost {
  const plain: number[] = [];
  /** What followed a changed working context, with what changing it took. */
  const repaired: { readonly ms: number; readonly changingMs: number; readonly isRefocus: boolean }[] = [];
  let changingMs = 0;
  let isRefocus = false;
  let hasMoved = false;
  let hasBegun = false;
  let isCounted = !whenFull;
  for (const event of events) {
    if (event.type === 'refocus') isCounted ||= event.actions.some(({ reason }) => reason === 'over-budget');
    // Between two refocuses.
    if (event.type === 'action') hasMoved = true;
    if (event.type !== 'latency' || event.stage === 'telemetry') continue;
    if (event.stage === 'decode') {
      if (hasBegun && isCounted) {
        if (isRefocus || hasMoved) repaired.push({ ms: event.ms, changingMs, isRefocus });
        else plain.push(event.ms);
      }
      changingMs = 0;
      isRefocus = hasMoved = false;
      hasBegun = true;
    } else if (event.stage === 'score' || event.stage === 'allocate') {
      changingMs += event.ms;
      isRefocus = true;
    } else if (event.stage === 'ingest' && hasMoved) {
      changingMs += event.ms;
    }
  }
  const usual = [...plain].sort((a, b) => a - b)[Math.floor(plain.length / 2)] ?? 0;
  const focus = repaired.map(({ ms, changingMs: before, isRefocus: whole }) => {
    return { ms: before + Math.max(0, ms - usual), before, whole };
  });
  const refocuses = focus.filter(({ whole }) => whole);
  const tokens = plain.length + repaired.length;
  return {
    decodeMs: plain,
    focusMs: refocuses.map(({ ms }) => ms),
    scoreMs: refocuses.map(({ before }) => before),
    focusShare: focus.reduce((sum, { ms }) => sum + ms, 0) / (tokens * usual),
  };
}
