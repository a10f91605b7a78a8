/**
 * What each head is worth for tokens that are known: text that goes on, and right answers. The windows are those of the
 * page's own loop.
 */
import { refocusEveryTokens } from '../../../core/allocator/refocus-cadence.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { Clock } from '../../../base/clock.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { HORIZON_TOKENS } from '../../session/decoding/delta-nll.ts';
import { type FocusState, MultiHeadFocus } from '../../session/head/multi-head-focus.ts';
import { TelemetryRecorder } from '../../session/telemetry/telemetry-recorder.ts';
import type { EvaluationCase } from '../cases/evaluation-case.ts';
import { askedHeads } from './head-rows.ts';

/** One reading of tokens that follow. */
export interface GainReading {
  /** Mean negative log-likelihood as the run reads them, its heads merged; nats a token. */
  readonly nll: number;
  /** Of each head that is read, where there are several and their merging can be repeated; else empty. */
  readonly heads: readonly HeadGain[];
}

export interface HeadGain {
  readonly head: number;
  /** How much worse the others, merged, read the tokens without it; nats a token. */
  readonly gainNats: number;
  /** That the base reads for it. */
  readonly slots: number;
}

/**
 * Let text come in as the page reads it, and read ahead now and then.
 *
 * @param text - what comes; the tokens that are read ahead come in afterwards.
 * @param everyTokens - from one reading to the next.
 */
export async function gainsOverText(
  model: LoadedModel,
  start: FocusState,
  config: RunConfig,
  clock: Clock,
  pause: () => Promise<void>,
  text: Uint32Array,
  everyTokens: number,
): Promise<readonly GainReading[]> {
  const tree = start.tree.fork();
  const focus = new MultiHeadFocus({ ...start, tree }, model, new TelemetryRecorder(clock), config);
  const origin = { role: 'document', documentId: 'history', title: 'History', wallClockMs: 0 } as const;
  const cadence = refocusEveryTokens(config.refocusCadence, { waitingTokens: text.length, isPaced: false });
  const readings: GainReading[] = [];
  try {
    for (let at = everyTokens; at + HORIZON_TOKENS <= text.length; at += everyTokens) {
      await focus.appendByBlocks(text.subarray(at - everyTokens, at), origin, pause, cadence);
      readings.push(await readingOf(focus, text.subarray(at, at + HORIZON_TOKENS)));
      await pause();
    }
    return readings;
  } finally {
    focus.dispose();
  }
}

/** Ask a question and read its right answer, or the beginning of a long one, where the answer would begin. */
export async function gainsOnAnswer(
  model: LoadedModel,
  start: FocusState,
  config: RunConfig,
  clock: Clock,
  { asked, referenceIds }: EvaluationCase,
): Promise<GainReading> {
  const focus = await askedHeads(model, start, config, clock, asked);
  try {
    return await readingOf(focus, referenceIds.subarray(0, HORIZON_TOKENS));
  } finally {
    focus.dispose();
  }
}

async function readingOf(focus: MultiHeadFocus, ids: Uint32Array): Promise<GainReading> {
  const gains = await focus.gains(ids);
  if (gains === null) {
    const { decoder, layout, parameters } = focus.reading()[0]!;
    return { nll: await decoder.scoreContinuation(layout, ids, parameters.budgetTokens), heads: [] };
  }
  return {
    nll: gains.mergedNll,
    heads: gains.heads.map((head, i) => ({
      head,
      gainNats: gains.withoutNll[i]! - gains.mergedNll,
      slots: focus.head(head).layout.usedTokens,
    })),
  };
}
