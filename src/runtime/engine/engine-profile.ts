/** Measures the engine at work: its networks, its storage, and the stages that its session tells of. */
import { Profile, type ProfileStage } from '../../core/profile/profile.ts';
import type { MachineLimits } from '../../core/profile/roofline.ts';
import type { BackendLimits } from '../../nn/backend/throughput.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import { profiledModel } from '../../nn/profiling/profiled-model.ts';
import type { SessionHandle, SessionStore } from '../../storage/ports.ts';
import type { Notice } from './protocol/protocol.ts';
import type { ProfileAct, ProfileReport } from './protocol/profile.ts';

/** Records of the probe that says what one takes. */
const PROBED_RECORDS = 20_000;

export interface ProfilePorts {
  readonly now: () => number;
  readonly measureBackend: () => Promise<BackendLimits>;
}

export class EngineProfile {
  private readonly profile: Profile;
  private timesKernels = false;
  private limits: MachineLimits | null = null;
  private isInTurn = false;
  /** What the base had done when the last stage ended. */
  private baseBefore = NOTHING;

  constructor(private readonly ports: ProfilePorts) {
    this.profile = new Profile(ports.now);
  }

  /** The model as the engine is to use it; on another backend the machine has other limits. */
  ofModel(model: LoadedModel): LoadedModel {
    this.limits = null;
    return profiledModel(model, { profile: this.profile, timesKernels: () => this.timesKernels });
  }

  ofStore(store: SessionStore): SessionStore {
    return new ProfiledStore(store, this.profile);
  }

  /** Take in what the open session tells of. */
  hear(notice: Notice): void {
    if (notice.kind !== 'telemetry') return;
    for (const event of notice.events) {
      if (event.type !== 'latency') continue;
      const base = this.baseTotals();
      const { stage, ms } = event;
      if (stage === 'decode') this.addToken(ms, base);
      else this.profile.addStage(stage, { ms });
      this.baseBefore = base;
    }
  }

  /** Do what a turn does; what is recorded meanwhile is the last turn's. */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    // A question that comes in the middle of an answer is refused, and is no turn.
    if (this.isInTurn) return work();
    this.isInTurn = true;
    this.profile.beginTurn();
    try {
      return await work();
    } finally {
      this.profile.endTurn();
      this.isInTurn = false;
    }
  }

  async act(act: ProfileAct, subject: Pick<ProfileReport, 'model' | 'backend'>): Promise<ProfileReport> {
    if (act === 'clear') {
      this.profile.clear();
      this.baseBefore = NOTHING;
    } else if (act === 'measure') {
      this.limits = { ...(await this.ports.measureBackend()), recordMs: this.measureRecord() };
    } else if (act !== 'read') this.timesKernels = act === 'time-kernels';
    const { timesKernels, limits } = this;
    return { ...this.profile.read(), timesKernels, limits, ...subject };
  }

  /** One token of an answer: the base's part of it, and what was done around that. */
  private addToken(ms: number, base: BaseTotals): void {
    const baseMs = Math.min(ms, base.ms - this.baseBefore.ms);
    const isChanged = base.manySlots > this.baseBefore.manySlots;
    const stage: ProfileStage = !this.profile.hasDecoded ? 'prefill' : isChanged ? 'repair' : 'decode';
    this.profile.addStage('assemble', { ms: ms - baseMs });
    this.profile.addStage(stage, { ms: baseMs, tokens: base.slots - this.baseBefore.slots });
  }

  private baseTotals(): BaseTotals {
    const totals = { ...NOTHING };
    for (const { name, ms, tokens } of this.profile.operations()) {
      if (!name.startsWith('base ')) continue;
      totals.ms += ms;
      totals.slots += tokens;
      if (name === 'base prefill' || name === 'base fill') totals.manySlots += tokens;
    }
    return totals;
  }

  private measureRecord(): number {
    const { now } = this.ports;
    const scratch = new Profile(now);
    const from = now();
    for (let i = 0; i < PROBED_RECORDS; i++)
      scratch.add('operation', 'probe', { ms: now() - now(), tokens: 1 });
    return (now() - from) / PROBED_RECORDS;
  }
}

interface BaseTotals {
  ms: number;
  slots: number;
  /** Of calls that ran several: a prefill, or a repair. */
  manySlots: number;
}
const NOTHING: BaseTotals = { ms: 0, slots: 0, manySlots: 0 };

class ProfiledStore implements SessionStore {
  constructor(
    private readonly inner: SessionStore,
    private readonly profile: Profile,
  ) {}

  get kind(): SessionStore['kind'] {
    return this.inner.kind;
  }

  get reason(): string {
    return this.inner.reason;
  }

  list(): ReturnType<SessionStore['list']> {
    return this.inner.list();
  }

  async create(...given: Parameters<SessionStore['create']>): Promise<SessionHandle> {
    return new ProfiledHandle(await this.inner.create(...given), this.profile);
  }

  async open(...given: Parameters<SessionStore['open']>): Promise<SessionHandle> {
    return new ProfiledHandle(await this.inner.open(...given), this.profile);
  }

  remove(...given: Parameters<SessionStore['remove']>): Promise<void> {
    return this.inner.remove(...given);
  }

  readSetting(name: string): Promise<unknown> {
    return this.inner.readSetting(name);
  }

  writeSetting(name: string, value: unknown): Promise<void> {
    return this.inner.writeSetting(name, value);
  }

  estimate(): ReturnType<SessionStore['estimate']> {
    return this.inner.estimate();
  }

  close(): void {
    this.inner.close();
  }
}

class ProfiledHandle implements SessionHandle {
  constructor(
    private readonly inner: SessionHandle,
    private readonly profile: Profile,
  ) {}

  get id(): SessionHandle['id'] {
    return this.inner.id;
  }

  get readOnly(): boolean {
    return this.inner.readOnly;
  }

  load(...given: Parameters<SessionHandle['load']>): ReturnType<SessionHandle['load']> {
    return this.profile.timed('operation', 'storage read', () => this.inner.load(...given), {});
  }

  readGists(...given: Parameters<SessionHandle['readGists']>): ReturnType<SessionHandle['readGists']> {
    return this.profile.timed('operation', 'storage read', () => this.inner.readGists(...given), {});
  }

  readEvents(...given: Parameters<SessionHandle['readEvents']>): ReturnType<SessionHandle['readEvents']> {
    return this.profile.timed('operation', 'storage read', () => this.inner.readEvents(...given), {});
  }

  readCold(...given: Parameters<SessionHandle['readCold']>): ReturnType<SessionHandle['readCold']> {
    return this.inner.readCold(...given);
  }

  append(...given: Parameters<SessionHandle['append']>): Promise<void> {
    const [{ events }] = given;
    return this.profile.timed('stage', 'storage', () => this.inner.append(...given), {
      tokens: events?.length ?? 0,
    });
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
