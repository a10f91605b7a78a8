/** What is told of one session never stands over another, however late or early it comes. */
import { expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { sampleRefocus } from '../../core/testing/sample-events.ts';
import type {
  ChatMessageRecord,
  Command,
  CommandResults,
  SessionSnapshot,
  SessionState,
} from '../../runtime/engine/protocol/protocol.ts';
import { createModel } from './model.ts';
import { fakeEngine } from './testing/fake-engine.ts';

const stateOf = (id: string, changes: Partial<SessionState> = {}): SessionState =>
  ({
    record: { id, title: id },
    config: DEFAULT_RUN_CONFIG,
    readOnly: false,
    pendingTokens: 0,
    waiting: [],
    activity: 'idle',
    isSaved: true,
    marks: [],
    cold: { nodes: 0, bytes: 0 },
    ...changes,
  }) as unknown as SessionState;

const snapshotOf = (id: string): SessionSnapshot => {
  return { state: stateOf(id), events: [], chat: [], provenance: [], damage: [] };
};

function scene(answer: (command: Command) => unknown = () => []) {
  const engine = fakeEngine((command) =>
    command.kind === 'createSession' ? snapshotOf('new') : answer(command),
  );
  const model = createModel(engine.port);
  void model.intake.acceptSnapshot(snapshotOf('old'));
  return { ...engine, model };
}

it('drops a state that is held while another session opens, and one that comes after', async () => {
  vi.useFakeTimers();
  try {
    const { model, tell } = scene();
    const streaming = stateOf('old', { pendingTokens: 21_911, activity: 'ingesting' });
    tell({ kind: 'state', sessionId: 'old', state: streaming });
    await model.actions.create('Session 2');
    tell({ kind: 'state', sessionId: 'old', state: streaming });
    model.intake.acceptState(streaming);
    await vi.advanceTimersByTimeAsync(1000);
    expect(model.mirror.getState()).toMatchObject({ running: false, session: { record: { id: 'new' } } });
  } finally {
    vi.useRealTimers();
  }
});

it('drops events, runs and answers of another session, but tells of its problems', () => {
  const { model, tell } = scene();
  const sessionId = 'other';
  const message = { id: 'm', start: 0, end: 1 } as ChatMessageRecord;
  const run = { start: 0, end: 9, role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
  tell({ kind: 'telemetry', sessionId, events: [sampleRefocus({ step: 1 })] });
  tell({ kind: 'provenance', sessionId, run });
  tell({ kind: 'chat', sessionId, message });
  tell({ kind: 'answerText', sessionId, messageId: 'm', head: 0, delta: 'x', tokenId: 1, index: 1, step: 1 });
  tell({
    kind: 'problem',
    sessionId,
    error: { name: 'Storage', code: 'quota', message: 'Full.', kept: '', tryNext: '' },
  });
  expect(model.shown.live.frameCount).toBe(0);
  expect(model.mirror.getState().provenance).toEqual([]);
  expect(model.conversation.getState()).toMatchObject({ messages: [], streaming: null });
  expect(model.problems.store.getState().problems).toHaveLength(1);
  tell({ kind: 'telemetry', sessionId: 'old', events: [sampleRefocus({ step: 1 })] });
  expect(model.shown.live.frameCount).toBe(1);
});

it('puts an answer into no other conversation than the one that it was asked in', async () => {
  let answered: (answer: CommandResults['ask']) => void = () => undefined;
  const { model } = scene(({ kind }) =>
    kind === 'ask' ? new Promise<CommandResults['ask']>((resolve) => (answered = resolve)) : [],
  );
  const asking = model.actions.ask('Where?');
  await model.actions.create('Session 2');
  model.conversation.setState({ asking: true });
  const message = { id: 'm', start: 0, end: 1 } as ChatMessageRecord;
  answered({ question: message, answer: { ...message, id: 'n' } });
  await asking;
  expect(model.conversation.getState()).toMatchObject({ messages: [], asking: true });
});

it('shows what a command answered at once, over an older state that is held', async () => {
  vi.useFakeTimers();
  try {
    const changed = stateOf('old', { config: { ...DEFAULT_RUN_CONFIG, budgetTokens: 1024 } });
    const { model, tell } = scene(({ kind }) => (kind === 'setConfig' ? changed : []));
    tell({ kind: 'state', sessionId: 'old', state: stateOf('old') });
    await model.actions.setParameters({ budgetTokens: 1024 });
    expect(model.mirror.getState().session?.config.budgetTokens).toBe(1024);
    await vi.advanceTimersByTimeAsync(1000);
    expect(model.mirror.getState().session?.config.budgetTokens).toBe(1024);
  } finally {
    vi.useRealTimers();
  }
});

it('takes a long run in a little at a time, with what is told meanwhile behind it', async () => {
  const { model, tell } = scene();
  const events = Array.from({ length: 1000 }, (_, i) => sampleRefocus({ step: i + 1 }));
  const opened = model.intake.acceptSnapshot({ ...snapshotOf('long'), events });
  tell({ kind: 'telemetry', sessionId: 'long', events: [sampleRefocus({ step: 1001 })] });
  await opened;
  expect(model.shown.live.frameCount).toBe(1001);
  expect(model.shown.live.frameAt(1000)?.step).toBe(1001);
  expect(model.mirror.getState()).toMatchObject({ phase: 'ready', session: { record: { id: 'long' } } });
});

it('lets the page answer whenever it worked for 8 ms, however long the run', async () => {
  const { model } = scene();
  const { live } = model.shown;
  let clockMs = 0;
  // Every look at the clock costs three milliseconds here, which is what 128 events shall have taken.
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (clockMs += 3));
  try {
    const events = Array.from({ length: 6000 }, (_, i) => sampleRefocus({ step: i + 1 }));
    const opened = model.intake.acceptSnapshot({ ...snapshotOf('long'), events }).then(() => true);
    const nextTask = () => new Promise<boolean>((resolve) => setImmediate(resolve, false));
    let before = live.frameCount;
    let most = before;
    let tasks = 1;
    while (!(await Promise.race([opened, nextTask()]))) {
      most = Math.max(most, live.frameCount - before);
      if (live.frameCount > before) tasks++;
      before = live.frameCount;
    }
    expect(live.frameCount).toBe(6000);
    expect(most).toBeLessThanOrEqual(3 * 128);
    expect(tasks).toBeGreaterThan(10);
  } finally {
    clock.mockRestore();
  }
});

it('leaves a long run where another session opens before it is there', async () => {
  const { model } = scene();
  const events = Array.from({ length: 1000 }, (_, i) => sampleRefocus({ step: i + 1 }));
  // Every look at the clock says that it is time for a pause.
  const clock = vi.spyOn(performance, 'now');
  let ms = 0;
  clock.mockImplementation(() => (ms += 1000));
  try {
    const long = model.intake.acceptSnapshot({ ...snapshotOf('long'), events });
    expect(model.shown.live.frameCount).toBeLessThan(200);
    await model.intake.acceptSnapshot(snapshotOf('short'));
    await long;
    expect(model.shown.live.frameCount).toBe(0);
    expect(model.mirror.getState()).toMatchObject({ session: { record: { id: 'short' } } });
  } finally {
    clock.mockRestore();
  }
});

it('shows a long session from its checkpoint on, then its earlier steps before it, at the step that was looked at', async () => {
  const all = Array.from({ length: 300 }, (_, i) => sampleRefocus({ step: i + 1 }));
  const asked: number[] = [];
  const pages: (() => void)[] = [];
  const { model, tell } = scene((command) => {
    if (command.kind !== 'readEvents') return [];
    asked.push(command.first);
    return new Promise((resolve) => {
      pages.push(() => {
        resolve({ events: all.slice(command.first, command.first + command.count) });
      });
    });
  });
  const events = all.slice(280);
  await model.intake.acceptSnapshot({
    ...snapshotOf('long'),
    events,
    earlier: { eventCount: 300, shown: 20 },
  });
  expect(model.mirror.getState()).toMatchObject({
    phase: 'ready',
    progress: { label: 'Reading earlier steps' },
  });
  expect(model.shown.live.frameCount).toBe(20);
  model.view.playhead.seek(4);
  tell({ kind: 'telemetry', sessionId: 'long', events: [sampleRefocus({ step: 301 })] });
  expect(model.shown.live.frameCount).toBe(21);
  pages[0]!();
  await vi.waitFor(() => {
    expect(model.shown.live.frameCount).toBe(301);
  });
  expect([model.shown.live.frameAt(0)?.step, model.shown.live.frameAt(300)?.step]).toEqual([1, 301]);
  expect(model.shown.live.frameAt(model.view.playhead.state.index)?.step).toBe(285);
  expect([asked, model.mirror.getState().progress]).toEqual([[0], null]);
});

it('keeps what it shows of a long session whose earlier steps cannot be read', async () => {
  const { model } = scene(({ kind }) => (kind === 'readEvents' ? Promise.reject(new Error('gone')) : []));
  const events = Array.from({ length: 20 }, (_, i) => sampleRefocus({ step: 281 + i }));
  await model.intake.acceptSnapshot({
    ...snapshotOf('long'),
    events,
    earlier: { eventCount: 300, shown: 20 },
  });
  await vi.waitFor(() => {
    expect(model.problems.store.getState().problems).toHaveLength(1);
  });
  expect(model.shown.live.frameCount).toBe(20);
  expect(model.mirror.getState()).toMatchObject({ phase: 'ready', progress: null });
});
