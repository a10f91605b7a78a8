import { expect, it } from 'vitest';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { EngineClient } from './client.ts';
import { answerMessage } from './command-port.ts';
import type { Engine } from './engine.ts';
import { NoticeBatcher } from './notice-batcher.ts';
import type { FromWorker } from './protocol/protocol.ts';

const eventAt = (step: number): TelemetryEvent => ({
  type: 'latency',
  step,
  timeMs: step,
  head: null,
  stage: 'ingest',
  ms: 1,
});

it.each([10, 256, 1000])(
  'a run of %i events crosses in messages of a bounded size and arrives whole',
  async (count) => {
    const events = Array.from({ length: count }, (_, i) => eventAt(i));
    const record = { title: 'Run' };
    const engine = { handle: () => Promise.resolve({ record, events, chat: [] }) } as unknown as Engine;
    const sizes: number[] = [];
    const worker = {
      onmessage: null as ((event: { readonly data: FromWorker }) => void) | null,
      onerror: null,
      onmessageerror: null,
      terminate: () => undefined,
      postMessage: (message: unknown) => {
        const send = (data: FromWorker): void => {
          const held =
            data.type === 'events' ? data.events : data.type === 'reply' && data.ok ? data.result : [];
          sizes.push((Array.isArray(held) ? held : (held as { events: unknown[] }).events).length);
          worker.onmessage?.({ data: structuredClone(data) });
        };
        void answerMessage(message, engine, new NoticeBatcher(() => undefined), send);
      },
    };
    const client = new EngineClient(() => worker, 'http://page/');
    const result = await client.call({ kind: 'readRun', sessionId: 'session' });
    expect(result).toEqual({ record, events, chat: [] });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256);
    client.dispose();
  },
);
