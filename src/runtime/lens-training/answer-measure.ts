/**
 * What routing comes to for a user: the session's own questions are asked again with a LensNet, as the chat asks them,
 * and the freely decoded answer is held against the one that the history gives.
 */
import { assembleByRecency } from '../../core/allocator/assembly.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../core/allocator/pass/allocator-state.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { K } from '../../core/tree/ids.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import type { KeptLens } from '../session/head/lens-variant.ts';
import { wilsonInterval } from '../../base/statistics.ts';
import { systemClock } from '../../base/clock.ts';
import { AnswerWriter } from '../session/chat/answer-writer.ts';
import { chatWords } from '../session/chat-words/chat-words.ts';
import { TURN_END_REFOCUSES } from '../session/chat/turn.ts';
import { GREEDY } from '../session/decoding/greedy.ts';
import { MultiHeadFocus } from '../session/head/multi-head-focus.ts';
import { TelemetryRecorder } from '../session/telemetry/telemetry-recorder.ts';
import type { AnswerMeasure } from './messages.ts';
import { ReplayTree } from './replay-tree.ts';
import type { SampledState } from './sampled-states.ts';

/** Answers take the base a while: so many of the held-out ones are decoded, evenly chosen. */
const MOST_ANSWERS = 12;

interface AnswerInput {
  readonly model: LoadedModel;
  /** The session's; only what stands before each answer is looked at while it is decoded. */
  readonly tree: GistTree;
  readonly config: RunConfig;
  /** In order; of these, the places where an answer begins count. */
  readonly states: readonly SampledState[];
  /** Awaited often; may throw to give up. */
  readonly pause: () => Promise<void>;
}

export async function measureAnswers(
  { model, tree, config, states, pause }: AnswerInput,
  lens: KeptLens,
): Promise<AnswerMeasure> {
  const answers = evenly(
    states.filter(({ kind }) => kind === 'answer'),
    MOST_ANSWERS,
  );
  const replay = new ReplayTree(tree);
  let hits = 0;
  for (const { cursor, horizonTokens } of answers) {
    const then = replay.growTo(cursor).fork();
    const text = await answerAgain({ model, then, config, lens, mostTokens: horizonTokens, pause });
    const said = model.tokenizer.decode(tree.tokens(cursor, cursor + horizonTokens));
    if (words(text) === words(untilStop(said, chatWords(model, config).stop))) hits++;
  }
  const n = answers.length;
  return { hits, n, ci95: n === 0 ? null : wilsonInterval(hits, n) };
}

interface Decoding extends Pick<AnswerInput, 'model' | 'config' | 'pause'> {
  /** The history up to the answer; it grows by what is decoded. */
  readonly then: GistTree;
  readonly lens: KeptLens;
  readonly mostTokens: number;
}

/** Settle the focus as at the end of a turn, then decode greedily, refocusing on the way. */
export async function answerAgain({
  model,
  then,
  config,
  lens,
  mostTokens,
  pause,
}: Decoding): Promise<string> {
  const { layout } = assembleByRecency(then, config, K);
  const start = { tree: then, heads: [{ layout, allocator: INITIAL_ALLOCATOR_STATE }] };
  const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(systemClock), config, pause);
  const head = focus.head();
  try {
    head.useLens(lens);
    await focus.settle(TURN_END_REFOCUSES, async () => {
      await pause();
      return focus.refocus('turn-end');
    });
    const { stop } = chatWords(model, config);
    const writer = new AnswerWriter(model.tokenizer, config.seed, then.tokenCount, stop);
    const origin = { role: 'assistant', documentId: 'answer', title: '', wallClockMs: 0 } as const;
    while (writer.tokenCount < mostTokens) {
      const { logits } = await head.decoder.sync(head.layout, config.budgetTokens);
      const { tokenId, isEnd } = writer.next(logits, GREEDY);
      if (isEnd) break;
      await focus.appendByBlocks(Uint32Array.of(tokenId), origin, pause);
    }
    writer.finish();
    return writer.text;
  } finally {
    head.dispose();
  }
}

function untilStop(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

/** Letters and digits of each word, small. */
function words(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');
}

function evenly<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}
