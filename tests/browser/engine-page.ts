/** Runs one small session on the page's own engine and reports everything that it did. */
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import { createEngineClient } from '../../src/runtime/engine/client.ts';
import type {
  BootReport,
  ChatMessageRecord,
  SessionState,
} from '../../src/runtime/engine/protocol/protocol.ts';

export interface SessionRequest {
  readonly backend: 'webgpu' | 'wasm';
  readonly text: string;
  readonly question: string;
  readonly config: Readonly<Record<string, number | string>>;
}

export interface SessionReport {
  readonly boot: BootReport;
  readonly answer: ChatMessageRecord;
  readonly events: readonly TelemetryEvent[];
  readonly problems: readonly string[];
}

export async function runSession({
  backend,
  text,
  question,
  config,
}: SessionRequest): Promise<SessionReport> {
  const engine = createEngineClient();
  const events: TelemetryEvent[] = [];
  const problems: string[] = [];
  let ingested = (): void => undefined;
  const whenIngested = new Promise<void>((resolve) => {
    ingested = resolve;
  });
  engine.onNotice((notice) => {
    if (notice.kind === 'telemetry') events.push(...notice.events);
    if (notice.kind === 'problem') problems.push(notice.error.message);
    if (notice.kind !== 'state') return;
    const { activity, pendingTokens, cursor } = notice.state;
    if (activity === 'idle' && pendingTokens === 0 && cursor > 0) ingested();
  });
  try {
    const boot = await engine.call({
      kind: 'boot',
      place: { kind: 'shipped', id: 'tiny', baseUrl: '/models/' },
      backend,
    });
    await engine.call({ kind: 'createSession', title: `End to end on ${backend}`, config });
    await engine.call({ kind: 'ingestText', text, title: 'Excerpt', role: 'document' });
    await engine.call({ kind: 'run', tokensPerSecond: 0 });
    await whenIngested;
    const { answer } = await engine.call({ kind: 'ask', text: question });
    return { boot, answer, events, problems };
  } finally {
    engine.dispose();
  }
}

/** Reads a long text into a session of this browser and leaves it stored, with a frame a block: quickly, by recency. */
export async function storeSession(
  text: string,
): Promise<{ readonly sessionId: string; readonly step: number }> {
  const engine = createEngineClient();
  const states: SessionState[] = [];
  const whenRead = new Promise<void>((resolve) => {
    engine.onNotice((notice) => {
      if (notice.kind !== 'state') return;
      states.push(notice.state);
      if (notice.state.activity === 'idle' && notice.state.pendingTokens === 0) resolve();
    });
  });
  try {
    const place = { kind: 'shipped', id: 'tiny', baseUrl: '/models/' } as const;
    await engine.call({ kind: 'boot', place, backend: 'wasm' });
    const config = { policy: 'recency', refocusCadence: 'block' } as const;
    const opened = await engine.call({ kind: 'createSession', title: 'Long', config });
    await engine.call({ kind: 'ingestText', text, title: 'Long', role: 'document' });
    await engine.call({ kind: 'run', tokensPerSecond: 0 });
    await whenRead;
    await engine.call({ kind: 'pause' });
    return { sessionId: opened.state.record.id, step: states.at(-1)!.step };
  } finally {
    engine.dispose();
  }
}
