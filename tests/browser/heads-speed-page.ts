/** Decodes on the page's own engine with one head and with several, in turn, and tells how fast each was. */
import { createEngineClient } from '../../src/runtime/engine/client.ts';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';

export interface SpeedRequest {
  readonly text: string;
  readonly heads: number;
  readonly rounds: number;
  readonly answerTokens: number;
}

/** Of an answer from its first token to its last. */
interface AnswerSpeed {
  /** Refocuses included. */
  readonly tokensPerSecond: number;
  /** From one token to the next, the median: most have no refocus between them. */
  readonly tokenMs: number;
}

/** A pair a round. */
export interface SpeedReport {
  readonly one: readonly AnswerSpeed[];
  readonly several: readonly AnswerSpeed[];
}

export async function decodeInTurn({
  text,
  heads,
  rounds,
  answerTokens,
}: SpeedRequest): Promise<SpeedReport> {
  const engine = createEngineClient();
  let decodedAt: number[] = [];
  const hear = (events: readonly TelemetryEvent[]): void => {
    for (const event of events) if (event.type === 'decode') decodedAt.push(event.timeMs);
  };
  const whenRead = new Promise<void>((resolve) => {
    engine.onNotice((notice) => {
      if (notice.kind === 'telemetry') hear(notice.events);
      if (notice.kind !== 'state') return;
      const { activity, pendingTokens, cursor } = notice.state;
      if (activity === 'idle' && pendingTokens === 0 && cursor > 0) resolve();
    });
  });
  const speedWith = async (count: number): Promise<AnswerSpeed> => {
    await engine.call({ kind: 'setConfig', changes: { heads: count } });
    await engine.call({ kind: 'refocus' });
    decodedAt = [];
    await engine.call({ kind: 'ask', text: 'What does a wig cost at Rosen?' });
    const gaps = decodedAt.slice(1).map((at, i) => at - decodedAt[i]!);
    const ms = gaps.reduce((sum, gap) => sum + gap, 0);
    return {
      tokensPerSecond: (1000 * gaps.length) / ms,
      tokenMs: gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]!,
    };
  };
  try {
    const place = { kind: 'shipped', id: 'tiny', baseUrl: '/models/' } as const;
    await engine.call({ kind: 'boot', place, backend: 'wasm' });
    const config = { maxNewTokens: answerTokens, stopTexts: '\u0001never', temperature: 0 };
    await engine.call({ kind: 'createSession', title: 'Speed', config });
    await engine.call({ kind: 'ingestText', text, title: 'Chronicle', role: 'document' });
    await engine.call({ kind: 'run', tokensPerSecond: 0 });
    await whenRead;
    await speedWith(1);
    await speedWith(heads);
    const one: AnswerSpeed[] = [];
    const several: AnswerSpeed[] = [];
    for (let round = 0; round < rounds; round++) {
      one.push(await speedWith(1));
      several.push(await speedWith(heads));
    }
    return { one, several };
  } finally {
    engine.dispose();
  }
}
