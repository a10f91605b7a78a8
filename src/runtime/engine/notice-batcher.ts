/** Joins notices before they cross to the page: at most about 30 messages a second of each frequent kind. */
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import type { Notice, ProvenanceRun, SessionState } from './protocol/protocol.ts';

const INTERVAL_MS = 33;

export class NoticeBatcher {
  private events: TelemetryEvent[] = [];
  private state: SessionState | null = null;
  private runs: ProvenanceRun[] = [];
  /** Whose notices wait: those of another session are not joined to them. */
  private sessionId: string | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly send: (notice: Notice) => void) {}

  post(notice: Notice): void {
    if ('sessionId' in notice && notice.sessionId !== this.sessionId) {
      this.flush();
      this.sessionId = notice.sessionId;
    }
    if (notice.kind === 'telemetry') for (const event of notice.events) this.events.push(event);
    else if (notice.kind === 'state') this.state = notice.state;
    else if (notice.kind === 'provenance') this.addRun(notice.run);
    else {
      // What is sent at once must not overtake what waits.
      if (notice.kind !== 'answerText') this.flush();
      this.send(notice);
      return;
    }
    this.timer ??= setTimeout(() => {
      this.flush();
    }, INTERVAL_MS);
  }

  /** Send what waits now; called before every reply, so that a reply never overtakes its notices. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { events, state, runs, sessionId } = this;
    this.events = [];
    this.state = null;
    this.runs = [];
    if (sessionId === null) return;
    for (const run of runs) this.send({ kind: 'provenance', sessionId, run });
    if (events.length > 0) this.send({ kind: 'telemetry', sessionId, events });
    if (state !== null) this.send({ kind: 'state', sessionId, state });
  }

  /** A run that grew replaces what waits of it. */
  private addRun(run: ProvenanceRun): void {
    if (this.runs.at(-1)?.start === run.start) this.runs.pop();
    this.runs.push(run);
  }
}
