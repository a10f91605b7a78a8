/** Decodes on the page's own engine with one head and with several, in turn, and tells how fast each was. */
import { createEngineClient } from '../../src/runtime/engine/client.ts';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';

export interface SpeedRequest {
  readonly text: string;
  readonly heads: number;
  readonly rounds: number;
  readonly answerTokens: number;
}

/** Tokens a second between an answer's first token and its last, refocuses included; a pair a round. */
export interface SpeedReport {
  readonly one: readonly number[];
  readonly several: readonly number[];
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
  const speedWith = async (count: number): Promise<number> => {
    await engine.call({ kind: 'setConfig', changes: { heads: count } });
    await engine.call({ kind: 'refocus' });
    decodedAt = [];
    await engine.call({ kind: 'ask', text: 'What does a wig cost at Rosen?' });
    const ms = decodedAt.at(-1)! - decodedAt[0]!;
    return (1000 * (decodedAt.length - 1)) / ms;
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
    const one: number[] = [];
    const several: number[] = [];
    for (let round = 0; round < rounds; round++) {
      one.push(await speedWith(1));
      several.push(await speedWith(heads));
    }
    return { one, several };
  } finally {
    engine.dispose();
  }
}
