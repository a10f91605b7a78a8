/**
 * A day's work with one engine, again and again: sessions are made, read into, asked, looked through, saved, opened
 * from their file, branched and deleted. What it leaves behind after each round is the caller's to compare.
 */
import { Engine, type EnginePorts } from '../engine/engine.ts';
import type { Notice } from '../engine/protocol/protocol.ts';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import { systemClock } from '../../base/clock.ts';
import { NO_MODELS, SOME_MACHINE, prose } from './engine-fixture.ts';

export interface SoakOptions {
  readonly loadModel: EnginePorts['loadModel'];
  /** Rounds end when so many refocuses were done, the first one (which warms caches) not counted. */
  readonly refocuses: number;
  /** Characters that each session reads. */
  readonly charactersPerSession: number;
  /** Called after every round, when no session is left; the first time after the round that warms up. */
  readonly onRound: (round: SoakRound) => void;
}

export interface SoakRound {
  readonly round: number;
  readonly refocuses: number;
}

/** @throws {Error} for the first problem that the engine reports. */
export async function soakEngine(options: SoakOptions): Promise<void> {
  const { loadModel, refocuses, onRound } = options;
  const user = new SoakUser(loadModel, options.charactersPerSession);
  await user.boot();
  try {
    await user.round(0);
    onRound({ round: 0, refocuses: 0 });
    const warmUp = user.refocuses;
    for (let round = 1; user.refocuses - warmUp < refocuses; round++) {
      await user.round(round);
      onRound({ round, refocuses: user.refocuses - warmUp });
    }
  } finally {
    await user.leave();
  }
}

class SoakUser {
  refocuses = 0;
  private readonly engine: Engine;
  private readonly waiting = new Set<(notice: Notice) => void>();
  private problem: Error | null = null;

  constructor(
    loadModel: EnginePorts['loadModel'],
    private readonly characters: number,
  ) {
    const store = createMemoryStore();
    this.engine = new Engine({
      models: NO_MODELS,
      loadModel,
      openStore: () => Promise.resolve(store),
      measureBackend: SOME_MACHINE,
      clock: systemClock,
      notify: (notice) => {
        this.hear(notice);
      },
    });
  }

  async boot(): Promise<void> {
    await this.engine.handle({
      kind: 'boot',
      place: { kind: 'shipped', id: 'tiny', baseUrl: 'models/' },
      backend: 'auto',
    });
  }

  leave(): Promise<void> {
    return this.engine.dispose();
  }

  async round(seed: number): Promise<void> {
    const { engine } = this;
    const config = { budgetTokens: 128, recentTokens: 32, refineSteps: 0, maxNewTokens: 4, seed };
    const { state } = await engine.handle({ kind: 'createSession', title: `Round ${seed}`, config });
    const sessionId = state.record.id;
    const text = prose(this.characters, seed);
    await engine.handle({ kind: 'ingestText', text, title: 'Log', role: 'document' });
    const read = this.once((notice) => notice.kind === 'state' && isAtRest(notice.state));
    await engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await read;
    await engine.handle({ kind: 'ask', text: 'Which pier is old?' });
    await this.lookAround(sessionId);
    const { file } = await engine.handle({ kind: 'exportSession', sessionId });
    const copy = await engine.handle({ kind: 'importSession', file });
    await engine.handle({ kind: 'refocus' });
    await engine.handle({ kind: 'removeSession', sessionId: copy.state.record.id });
    const branchId = await this.branch(sessionId, 2 + (seed % 3));
    for (const id of [branchId, sessionId]) await engine.handle({ kind: 'removeSession', sessionId: id });
    if (this.problem !== null) throw this.problem;
  }

  private async lookAround(sessionId: string): Promise<void> {
    const { engine } = this;
    await engine.handle({ kind: 'inspect', lod: 1, start: 0, end: 32 });
    await engine.handle({ kind: 'spanText', start: 0, end: 64, maxCharacters: 400 });
    await engine.handle({ kind: 'treeCells', start: 0, end: 256, cells: 8, measure: 'accessCount' });
    const order = { by: 'accessCount', descending: true } as const;
    await engine.handle({ kind: 'listNodes', filter: { lod: 1 }, order, offset: 0, limit: 5 });
    await engine.handle({ kind: 'searchText', query: 'lantern', limit: 5 });
    await engine.handle({ kind: 'searchSimilar', query: 'lantern', limit: 5 });
    await engine.handle({ kind: 'nextTokens', count: 3 });
    await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: 0, end: 32 });
    await engine.handle({ kind: 'readRun', sessionId });
    for (const format of ['trace-gzip', 'csv', 'chrome-trace'] as const) {
      await engine.handle({ kind: 'exportTrace', format });
    }
  }

  private async branch(sessionId: string, step: number): Promise<string> {
    const done = this.once((notice) => notice.kind === 'branch' && notice.progress.phase !== 'replaying');
    const { state } = await this.engine.handle({
      kind: 'branchSession',
      sessionId,
      step,
      title: 'Branch',
      changes: { seed: 1000 },
    });
    await done;
    return state.record.id;
  }

  private once(is: (notice: Notice) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const listen = (notice: Notice): void => {
        if (!is(notice)) return;
        this.waiting.delete(listen);
        resolve();
      };
      this.waiting.add(listen);
    });
  }

  private hear(notice: Notice): void {
    if (notice.kind === 'problem') this.problem ??= new Error(notice.error.message);
    if (notice.kind === 'telemetry') {
      this.refocuses += notice.events.filter(({ type }) => type === 'refocus').length;
    }
    for (const listen of [...this.waiting]) listen(notice);
  }
}

function isAtRest({ activity, pendingTokens, cursor }: Extract<Notice, { kind: 'state' }>['state']): boolean {
  return activity === 'idle' && pendingTokens === 0 && cursor > 0;
}
