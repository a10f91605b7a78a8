/** Working contexts at which a history is asked about its own sentences, and the scores that they should get. */
import type { Rng } from '../../base/rng.ts';
import { wilsonInterval } from '../../base/statistics.ts';
import { protectedStart } from '../../core/context/moves.ts';
import type { SlotView } from '../../core/context/slot-view.ts';
import { buildSlotView } from '../../core/context/slot-view.ts';
import type { Layout } from '../../core/context/working-context.ts';
import { HistoryWords } from '../../core/lexical/history-words.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { K } from '../../core/tree/ids.ts';
import type { EntryTarget, LensNet, LoadedModel } from '../../nn/ports.ts';
import { chatWords } from '../session/chat-words/chat-words.ts';
import { wordMatchOf } from '../session/memory/word-match.ts';
import type { ClozePlace } from './cloze-places.ts';
import { isHeldOut } from './held-out.ts';
import type { FoundMeasure } from './messages.ts';
import { ReplayTree } from './replay-tree.ts';
import { sampleLayout } from './sample-layout.ts';
import { slotsBefore } from './targets.ts';

/** What an entry should score: as `training/published/lens_samples.py` has it, so that training here goes on there. */
const SCORES = { gold: 0.8, besideGold: 0.3, raw: -0.4, gist: -0.12, page: -0.08 } as const;
/** What holds the sentence counts so much more than the many that do not. */
const GOLD_WEIGHT = 4;
/** Of the entries that hold nothing of it, so many are learned from. */
const OTHERS = { raw: 3, gists: 24 } as const;

export interface ClozeState {
  readonly kind: 'cloze';
  /** The history up to the place, and the question behind it. */
  readonly tree: GistTree;
  readonly layout: Layout;
  /** `[N, LEXICAL_FEATURES]`; null where the LensNet reads none. */
  readonly lexical: Float32Array | null;
  /** `[entries]` whether it holds some of the sentence. */
  readonly isGold: readonly boolean[];
  readonly isHeldOut: boolean;
}

interface ClozeInput {
  /** The session's; it may grow meanwhile. */
  readonly tree: GistTree;
  readonly model: LoadedModel;
  readonly lensNet: LensNet;
  readonly config: RunConfig;
  /** In order. */
  readonly places: readonly ClozePlace[];
  readonly rng: Rng;
  /** Awaited often: yields, and throws to give up. */
  readonly yieldToEvents: () => Promise<void>;
}

export async function collectClozeStates(input: ClozeInput): Promise<readonly ClozeState[]> {
  const replay = new ReplayTree(input.tree);
  const states: ClozeState[] = [];
  for (const place of input.places) {
    await input.yieldToEvents();
    const then = replay.growTo(place.cursor).fork();
    const state = await ask(input, place, then);
    states.push({ ...state, kind: 'cloze', tree: then, isHeldOut: isHeldOut(states.length) });
  }
  return states;
}

async function ask(
  { model, lensNet, config, rng }: ClozeInput,
  { question, sentence }: ClozePlace,
  then: GistTree,
): Promise<Pick<ClozeState, 'layout' | 'lexical' | 'isGold'>> {
  const { userPrefix, userSuffix, assistantPrefix } = chatWords(model, config);
  const origin = { documentId: 'cloze', title: '', wallClockMs: 0 };
  const asked = model.tokenizer.encodeTemplate(userPrefix, question, userSuffix);
  then.appendTokens(asked, { ...origin, role: 'user' });
  then.appendTokens(model.tokenizer.encodeTemplate(assistantPrefix), { ...origin, role: 'assistant' });
  const words = lensNet.readsWords
    ? new HistoryWords(then, () => model.tokenizer.createStreamDecoder()).matching(wordMatchOf(model))
    : null;
  const futureRelevance = new Float64Array(then.closedBlockCount);
  futureRelevance.fill(1, Math.floor(sentence.start / K), Math.ceil(sentence.end / K));
  const layout = await sampleLayout({
    tree: then,
    words,
    config,
    lensNet,
    base: model.base,
    futureRelevance,
    rng,
  });
  const isGold = layout.entries.map(({ start, end }) => start < sentence.end && sentence.start < end);
  const asking = words?.askedAt(layout.cursor, lensNet.tailTokens);
  return { layout, lexical: asking ? words!.features(layout.entries, asking) : null, isGold };
}

/** What LensNet reads of a state. */
export function clozeView(
  { tree, layout, lexical }: ClozeState,
  { base }: Pick<LoadedModel, 'base'>,
  { tailTokens }: Pick<LensNet, 'tailTokens'>,
): SlotView {
  const view = buildSlotView({ layout, tree, embed: (ids) => base.embed(ids), tailTokens });
  return { ...view, lexical };
}

/** What holds the sentence and what stands beside it, and some of all others outside the recent window. */
export function clozeTargets(
  { layout, isGold }: ClozeState,
  config: Pick<RunConfig, 'recentTokens' | 'budgetTokens'>,
  rng: Rng,
): readonly EntryTarget[] {
  const firstSlots = slotsBefore(layout);
  const { entries } = layout;
  const recent = protectedStart(layout.cursor, config);
  const left = { raw: OTHERS.raw, gists: OTHERS.gists };
  const targets: EntryTarget[] = [];
  for (const index of shuffledIndices(entries.length, rng)) {
    const { lod, end } = entries[index]!;
    if (end > recent) continue;
    const isBeside = lod < 2 && (isGold[index - 1] === true || isGold[index + 1] === true);
    const kind = lod === 0 ? 'raw' : 'gists';
    if (!isGold[index] && !isBeside && left[kind]-- <= 0) continue;
    const other = [SCORES.raw, SCORES.gist][lod] ?? SCORES.page;
    targets.push({
      firstSlot: firstSlots[index]!,
      slotCount: firstSlots[index + 1]! - firstSlots[index]!,
      target: isGold[index] ? SCORES.gold : isBeside ? SCORES.besideGold : other,
      weight: isGold[index] ? GOLD_WEIGHT : 1,
      group: 'cloze',
    });
  }
  return targets;
}

function shuffledIndices(count: number, rng: Rng): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** In how many states something that holds the sentence is among the k highest-scored entries that are not recent. */
export function measureCloze(
  scored: readonly { readonly state: ClozeState; readonly scores: Float32Array }[],
  config: Pick<RunConfig, 'recentTokens' | 'budgetTokens'>,
  k: number,
): FoundMeasure {
  const hits = scored.filter(({ state: { layout, isGold }, scores }) => {
    const recent = protectedStart(layout.cursor, config);
    const old = layout.entries.flatMap(({ end }, index) => (end <= recent ? [index] : []));
    const best = Math.max(...old.filter((index) => isGold[index]).map((index) => scores[index]!));
    return old.filter((index) => !isGold[index] && scores[index]! >= best).length < k;
  }).length;
  const n = scored.length;
  return { k, hits, n, ci95: n === 0 ? null : wilsonInterval(hits, n) };
}
