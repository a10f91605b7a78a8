import { describe, expect, it, vi } from 'vitest';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import { EngineClient } from './client.ts';
import type { WorkerLike } from './client.ts';
import { answerMessage } from './command-port.ts';
import { Engine } from './engine.ts';
import { NoticeBatcher } from './notice-batcher.ts';
import type { FromWorker, Notice, SessionState, ToWorker } from './protocol/protocol.ts';
import { createFakeModel } from '../testing/fake-model.ts';
import { NO_MODELS, prose, SOME_MACHINE, until } from '../testing/engine-fixture.ts';

/** A worker in this thread, with an engine of its own; all share one store, as workers share IndexedDB. */
class ThreadWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  onmessageerror: WorkerLike['onmessageerror'] = null;
  readonly seen: ToWorker[] = [];
  private isAlive = true;
  private readonly engine: Engine;
  private readonly notices: NoticeBatcher;

  constructor(store: ReturnType<typeof createMemoryStore>, isGpuGone: () => boolean) {
    this.notices = new NoticeBatcher((notice) => {
      this.deliver({ type: 'notice', notice });
    });
    this.engine = new Engine({
      models: NO_MODELS,
      loadModel: ({ backend }) => {
        if (backend === 'webgpu' && isGpuGone()) return Promise.reject(new Error('no adapter'));
        const report = {
          id: 'cpu',
          reason: '',
          adapter: null,
          isSoftwareAdapter: false,
          threads: null,
        } as const;
        return Promise.resolve({ model: createFakeModel(), backend: { ...report, wasOverridden: false } });
      },
      openStore: () => Promise.resolve(store),
      measureBackend: SOME_MACHINE,
      clock: { now: () => performance.now(), wallClockMs: () => Date.now() },
      notify: (notice) => {
        this.notices.post(notice);
      },
    });
  }

  postMessage(message: ToWorker): void {
    this.seen.push(message);
    void answerMessage(structuredClone(message), this.engine, this.notices, (reply) => {
      this.deliver(reply);
    });
  }

  deliver(data: FromWorker): void {
    if (this.isAlive) this.onmessage?.({ data: structuredClone(data) } as MessageEvent<FromWorker>);
  }

  crash(message: string): void {
    this.terminate();
    this.onerror?.({ message, preventDefault: () => undefined } as ErrorEvent);
  }

  terminate(): void {
    this.isAlive = false;
    // A dead worker's locks are freed.
    void this.engine.dispose().catch(() => undefined);
  }
}

function scene() {
  const shared = createMemoryStore();
  const store = { ...shared, close: () => undefined };
  const workers: ThreadWorker[] = [];
  const notices: Notice[] = [];
  let isGpuGone = false;
  const client = new EngineClient(() => {
    const worker = new ThreadWorker(store, () => isGpuGone);
    workers.push(worker);
    return worker;
  }, 'https://example.org/app/');
  client.onNotice((notice) => notices.push(notice));
  const boot = (backend: 'auto' | 'webgpu' = 'auto') =>
    client.call({
      kind: 'boot',
      place: { kind: 'shipped', id: 'fake', baseUrl: './models/' },
      backend,
    });
  const loseGpuForGood = (): void => {
    isGpuGone = true;
  };
  return { client, workers, notices, boot, loseGpuForGood };
}

const isRead = ({ activity, cursor, pendingTokens }: SessionState) =>
  activity === 'idle' && cursor > 0 && pendingTokens === 0;

describe('EngineClient', () => {
  it('answers calls and resolves model addresses against the page', async () => {
    const { client, workers, boot } = scene();
    const report = await boot();
    expect(report.model.id).toBe('fake');
    expect(report.defaults.budgetTokens).toBe(256);
    expect(workers[0]!.seen[0]!.command).toMatchObject({
      place: { baseUrl: 'https://example.org/app/models/' },
    });
    const snapshot = await client.call({ kind: 'createSession', title: 'One', config: {} });
    expect(snapshot.state.record.title).toBe('One');
  });

  it('rejects with what the engine said', async () => {
    const { client, boot } = scene();
    await boot();
    await expect(client.call({ kind: 'step' })).rejects.toMatchObject({
      name: 'EngineError',
      code: 'no-session',
      tryNext: expect.stringContaining('session') as unknown,
    });
  });

  it('rejects a message that is no command', async () => {
    const { client, boot } = scene();
    await boot();
    const bad = { kind: 'ask', text: '' } as const;
    await expect(client.call(bad)).rejects.toMatchObject({ code: 'bad-message' });
  });

  it('starts again after a crash and brings the session back', async () => {
    const { client, workers, notices, boot } = scene();
    await boot();
    const { state } = await client.call({ kind: 'createSession', title: 'Survivor', config: {} });
    await client.call({ kind: 'ingestText', text: 'x'.repeat(100), title: 'D', role: 'document' });
    await client.call({ kind: 'step' });
    const lost = client.call({ kind: 'listSessions' });
    workers[0]!.crash('out of memory');
    await expect(lost).rejects.toMatchObject({ code: 'worker-crashed' });
    const restarted = await until(() => notices.find((notice) => notice.kind === 'restarted'));
    expect(restarted.snapshot?.state.record.id).toBe(state.record.id);
    expect(restarted.snapshot?.state).toMatchObject({ cursor: 32, readOnly: false });
    expect((await client.call({ kind: 'step' })).cursor).toBe(64);
  });

  it('brings four heads and their staging back, which go on as if nothing had happened', async () => {
    const outcomes: unknown[] = [];
    for (const crashes of [false, true]) {
      const { client, workers, notices, boot } = scene();
      await boot();
      const heads = { heads: 4, budgetTokens: 1024, recentTokens: 128, stagingBudgetTokens: 2048 };
      const config = { ...heads, maxNewTokens: 40, temperature: 1, seed: 5 };
      await client.call({ kind: 'createSession', title: 'Heads', config });
      await client.call({ kind: 'ingestText', text: prose(1500), title: 'D', role: 'document' });
      await client.call({ kind: 'run', tokensPerSecond: 0 });
      await until(() => notices.find((notice) => notice.kind === 'state' && isRead(notice.state)));
      const first = await client.call({ kind: 'ask', text: 'Who keeps the light?' });
      if (crashes) {
        workers[0]!.crash('out of memory');
        await until(() => notices.find((notice) => notice.kind === 'restarted'));
      }
      const { answer } = await client.call({ kind: 'ask', text: 'And where is the rope?' });
      const frames = notices
        .flatMap((notice) => (notice.kind === 'telemetry' ? notice.events : []))
        .flatMap((event) => (event.type === 'refocus' && event.cursor > first.answer.end ? [event] : []));
      expect(new Set(frames.map(({ head }) => head))).toEqual(new Set([0, 1, 2, 3, 8]));
      outcomes.push({
        answer: [answer.text, answer.start, answer.end, answer.ending],
        frames: frames.map(({ head, step, cursor, scores, actions }) => [
          head,
          step,
          cursor,
          scores,
          actions,
        ]),
      });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('brings a branch back, not what it was branched from', async () => {
    const { client, workers, notices, boot } = scene();
    await boot();
    const original = await client.call({ kind: 'createSession', title: 'Original', config: {} });
    await client.call({ kind: 'ingestText', text: 'x'.repeat(100), title: 'D', role: 'document' });
    await client.call({ kind: 'step' });
    const sessionId = original.state.record.id;
    const branch = { kind: 'branchSession', sessionId, step: 1, title: 'Branch', changes: {} } as const;
    const { state } = await client.call(branch);
    workers[0]!.crash('out of memory');
    const restarted = await until(() => notices.find((notice) => notice.kind === 'restarted'));
    expect(restarted.snapshot?.state.record.id).toBe(state.record.id);
  });

  it('brings back the model that ran when loading another one brings the worker down', async () => {
    const { client, workers, notices, boot } = scene();
    await boot();
    const place = { kind: 'kept', folder: 'large', name: 'Large' } as const;
    const loading = client.call({ kind: 'boot', place, backend: 'auto' });
    // Heads for a base of others come with the page.
    expect(workers[0]!.seen.at(-1)!.command).toMatchObject({
      place: { ...place, modelsUrl: 'https://example.org/app/models/' },
    });
    workers[0]!.crash('out of memory');
    await expect(loading).rejects.toMatchObject({ code: 'worker-crashed' });
    await until(() => notices.find((notice) => notice.kind === 'restarted'));
    expect(workers[1]!.seen[0]!.command).toMatchObject({ kind: 'boot', place: { kind: 'shipped' } });
  });

  it('turns to WASM when the GPU was lost twice', async () => {
    const { client, workers, notices, boot } = scene();
    await boot();
    const error = { name: 'EngineError', code: 'device-lost', message: 'Gone.', kept: '', tryNext: '' };
    for (let time = 1; time <= 2; time++) {
      workers.at(-1)!.deliver({ type: 'fatal', error });
      await until(() => notices.filter(({ kind }) => kind === 'restarted')[time - 1]);
    }
    const boots = workers.map((worker) => worker.seen[0]!.command);
    expect(boots.map((command) => command.kind === 'boot' && command.backend)).toEqual([
      'auto',
      'auto',
      'wasm',
    ]);
    expect(notices.findLast(({ kind }) => kind === 'restarted')).toMatchObject({
      boot: { backend: { reason: 'WASM runs because the GPU was lost twice.', wasOverridden: false } },
    });
    client.dispose();
  });

  it('takes what there is when a GPU that was chosen by hand is gone', async () => {
    const { client, workers, notices, boot, loseGpuForGood } = scene();
    await boot('webgpu');
    loseGpuForGood();
    const error = { name: 'EngineError', code: 'device-lost', message: 'Gone.', kept: '', tryNext: '' };
    workers.at(-1)!.deliver({ type: 'fatal', error });
    await until(() => notices.find(({ kind }) => kind === 'restarted'));
    const boots = workers.at(-1)!.seen.map(({ command }) => command.kind === 'boot' && command.backend);
    expect(boots).toEqual(['webgpu', 'auto']);
    client.dispose();
  });

  it('counts crashes by a clock that nobody sets', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    try {
      const { client, workers, boot } = scene();
      await boot();
      for (let time = 0; time < 3; time++) workers.at(-1)!.crash('again');
      vi.setSystemTime(Date.now() - 3_600_000);
      vi.advanceTimersByTime(61_000);
      workers.at(-1)!.crash('again, much later');
      expect(workers).toHaveLength(5);
      client.dispose();
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives up after too many crashes, saying so', async () => {
    const { client, workers, notices, boot } = scene();
    await boot();
    for (let time = 0; time < 4; time++) workers.at(-1)!.crash('again');
    expect(workers).toHaveLength(4);
    const problems = notices.filter((notice) => notice.kind === 'problem');
    expect(problems.at(-1)!.error.message).toContain('not started again');
    client.dispose();
    await expect(client.call({ kind: 'listSessions' })).rejects.toMatchObject({ code: 'worker-crashed' });
  });
});
