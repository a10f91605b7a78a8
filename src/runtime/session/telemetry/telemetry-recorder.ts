/** Where a run's events go through: stamps them with the run's time and hands them to who listens. */
import type { Stage, TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { Clock } from '../../../base/clock.ts';

export type EventListener = (events: readonly TelemetryEvent[]) => void;

export class TelemetryRecorder {
  private readonly startedAt: number;
  private readonly listeners: EventListener[] = [];

  /** @param resumedAtMs - the run's time so far, when it continues one that was stored. */
  constructor(
    private readonly clock: Clock,
    resumedAtMs = 0,
  ) {
    this.startedAt = clock.now() - resumedAtMs;
  }

  listen(listener: EventListener): void {
    this.listeners.push(listener);
  }

  /** Milliseconds since the run's start. */
  now(): number {
    return this.clock.now() - this.startedAt;
  }

  wallClockMs(): number {
    return this.clock.wallClockMs();
  }

  /** What every event begins with. */
  base(step: number): { readonly step: number; readonly timeMs: number } {
    return { step, timeMs: this.now() };
  }

  emit(...events: readonly TelemetryEvent[]): void {
    for (const listener of this.listeners) listener(events);
  }

  /** @param head - whose work it was; null for what is done for the memory that all heads share. */
  latency(stage: Stage, head: number | null, step: number, ms: number): void {
    this.emit({ ...this.base(step), type: 'latency', head, stage, ms });
  }

  /** Run a stage and record how long it took, also when it fails. */
  async timed<T>(stage: Stage, head: number | null, step: number, work: () => Promise<T>): Promise<T> {
    const from = this.now();
    try {
      return await work();
    } finally {
      this.latency(stage, head, step, this.now() - from);
    }
  }
}
