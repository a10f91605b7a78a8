/** Paces continuous ingestion: one step after the other until nothing waits, it is paused, or a step fails. */
import { delay, yieldToEvents } from '../../../base/clock.ts';

/** The longest sleep in one piece, so that a pause is honoured soon. */
const LONGEST_SLEEP_MS = 100;
/** How far pacing may lag behind before it stops trying to catch up. */
const LONGEST_LAG_MS = 1000;

export interface IngestionPorts {
  /** Take in the next block. @returns how many tokens came in. */
  step(): Promise<number>;
  hasMore(): boolean;
  /** A turn of the chat that must be waited for, or null. */
  turn(): Promise<unknown> | null;
  now(): number;
  /** Called once at the end, with the error that ended it or null. */
  onEnd(error: unknown): Promise<void>;
}

export class Ingestion {
  /** Tokens per second; 0 is unpaced, null is paused. */
  private rate: number | null = null;
  private work: Promise<void> | null = null;

  constructor(private readonly ports: IngestionPorts) {}

  get isRunning(): boolean {
    return this.work !== null;
  }

  /** Whether it keeps to a pace that someone set. */
  get isPaced(): boolean {
    return this.rate !== null && this.rate > 0;
  }

  /** Run at this rate from now on. Resolves at once; see `settled`. */
  run(tokensPerSecond: number): void {
    this.rate = tokensPerSecond;
    this.work ??= this.ingest();
  }

  /** No further step begins. */
  pause(): void {
    this.rate = null;
  }

  /** Resolves when the last step has ended. */
  async settled(): Promise<void> {
    await this.work;
  }

  private async ingest(): Promise<void> {
    const { ports } = this;
    let failure: unknown = null;
    let due = ports.now();
    // The first step begins after the command that started it was answered.
    await yieldToEvents();
    while (this.rate !== null && ports.hasMore()) {
      const turn = ports.turn();
      if (turn !== null) {
        await turn;
        due = ports.now();
        continue;
      }
      try {
        const tokens = await ports.step();
        due = this.rate
          ? Math.max(due + (tokens / this.rate) * 1000, ports.now() - LONGEST_LAG_MS)
          : ports.now();
      } catch (error) {
        failure = error;
        break;
      }
      await yieldToEvents();
      while (this.isAhead(due)) await delay(Math.min(LONGEST_SLEEP_MS, due - ports.now()));
    }
    this.rate = null;
    this.work = null;
    await ports.onEnd(failure);
  }

  private isAhead(due: number): boolean {
    return this.rate !== null && this.rate > 0 && this.ports.turn() === null && this.ports.now() + 1 < due;
  }
}
