/** A tab that may only read a session shows what the tab that writes it adds. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { sampleRefocus } from '../../core/testing/sample-events.ts';
import type { SessionSnapshot, SessionState } from '../../runtime/engine/protocol/protocol.ts';
import { createModel } from './model.ts';
import { type TabChannel, type TabLocks, followSessions } from './session-follow.ts';
import { fakeEngine } from './testing/fake-engine.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const snapshotOf = (readOnly: boolean, steps: number): SessionSnapshot => ({
  state: {
    record: { id: 's' },
    config: DEFAULT_RUN_CONFIG,
    readOnly,
    pendingTokens: 0,
    cursor: steps * 32,
    step: steps,
    activity: 'idle',
  } as unknown as SessionState,
  events: Array.from({ length: steps }, (_, i) => sampleRefocus({ step: i + 1 })),
  chat: [],
  provenance: [],
  damage: [],
});

/** Locks as a browser has them: given in the order they were asked for, free when the page lets go or dies. */
function tabLocks() {
  const lines = new Map<string, (() => Promise<void>)[]>();
  const serve = async (name: string): Promise<void> => {
    const line = lines.get(name)!;
    while (line.length > 0) {
      await line[0]!();
      line.shift();
    }
  };
  const lock = (): TabLocks => ({
    request: (name, { signal }, whileHeld) => {
      const line = lines.get(name) ?? [];
      lines.set(name, line);
      line.push(async () => {
        if (!signal.aborted) await whileHeld();
      });
      if (line.length === 1) void serve(name);
      return Promise.resolve();
    },
  });
  return lock;
}

/** Two pages on one session, joined as two tabs are. */
function tabs() {
  let stored = 3;
  let isWritten = true;
  const lock = tabLocks();
  const channels: TabChannel[] = [];
  const tab = (readOnly: boolean) => {
    const engine = fakeEngine(({ kind }) => (kind === 'openSession' ? snapshotOf(isWritten, stored) : []));
    const model = createModel(engine.port);
    void model.intake.acceptSnapshot(snapshotOf(readOnly, 3));
    const channel: TabChannel = {
      onmessage: null,
      postMessage: (data) => {
        for (const other of channels) if (other !== channel) other.onmessage?.({ data } as MessageEvent);
      },
      close: () => undefined,
    };
    channels.push(channel);
    const stop = followSessions(model, channel, lock());
    return { model, stop, sent: engine.sent };
  };
  const write = (steps: number) => {
    stored = steps;
    return snapshotOf(false, steps).state;
  };
  return {
    writer: tab(false),
    reader: tab(true),
    write,
    /** The store lets go of the session: its writer is gone. */
    free: () => {
      isWritten = false;
    },
  };
}

it('shows what was added, and leaves the playhead where it stands', async () => {
  const { writer, reader, write } = tabs();
  reader.model.view.playhead.seek(1);
  writer.model.intake.showState(write(5));
  await vi.advanceTimersByTimeAsync(5000);
  expect(reader.model.shown.live.frameCount).toBe(5);
  expect(reader.model.view.playhead.state).toMatchObject({ index: 1, count: 5, following: false });
  reader.model.view.playhead.followNewest();
  writer.model.intake.showState(write(8));
  await vi.advanceTimersByTimeAsync(5000);
  expect(reader.model.view.playhead.state).toMatchObject({ index: 7, following: true });
  expect(reader.sent).toEqual(['openSession', 'openSession']);
  expect(writer.sent).toEqual([]);
  writer.stop();
  reader.stop();
});

it('writes the session once the tab that wrote it is gone, and not before', async () => {
  const { writer, reader, free } = tabs();
  const isReadOnly = () => reader.model.mirror.getState().session?.readOnly;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(isReadOnly()).toBe(true);
  expect(reader.sent).toEqual([]);
  // The page is gone, and its storage is let go of a moment later.
  writer.stop();
  await vi.advanceTimersByTimeAsync(500);
  expect(isReadOnly()).toBe(true);
  free();
  await vi.advanceTimersByTimeAsync(5000);
  expect(isReadOnly()).toBe(false);
  expect(reader.sent).toEqual(['openSession', 'openSession']);
  expect(reader.model.problems.store.getState().problems).toMatchObject([
    { title: 'This tab writes the session now', tone: 'info' },
  ]);
  reader.stop();
});
