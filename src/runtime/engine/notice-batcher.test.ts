import { expect, it } from 'vitest';
import { NoticeBatcher } from './notice-batcher.ts';
import type { Notice, SessionState } from './protocol/protocol.ts';

it('joins what is told of one session, and nothing of two', () => {
  const sent: Notice[] = [];
  const batcher = new NoticeBatcher((notice) => sent.push(notice));
  const event = { type: 'gist', step: 0, timeMs: 0, lod: 1, firstIndex: 0, count: 1 } as const;
  batcher.post({ kind: 'telemetry', sessionId: 'a', events: [event] });
  batcher.post({ kind: 'telemetry', sessionId: 'a', events: [event] });
  batcher.post({ kind: 'state', sessionId: 'a', state: {} as SessionState });
  batcher.post({ kind: 'telemetry', sessionId: 'b', events: [event] });
  batcher.flush();
  expect(sent).toEqual([
    { kind: 'telemetry', sessionId: 'a', events: [event, event] },
    { kind: 'state', sessionId: 'a', state: {} },
    { kind: 'telemetry', sessionId: 'b', events: [event] },
  ]);
});
