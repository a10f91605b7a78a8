/**
 * The page's side of the wire: sends commands, hears notices, and starts a new worker when the old one dies.
 * Owns no session state beyond what is needed to bring the open session back.
 */
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { delay } from '../../base/clock.ts';
import { RemoteError, toWireError } from '../session/messages/errors.ts';
import type {
  BootReport,
  Command,
  CommandResults,
  FromWorker,
  Notice,
  SessionSnapshot,
  ToWorker,
  WireError,
} from './protocol/protocol.ts';

/** The part of `Worker` that the client uses. */
export interface WorkerLike {
  postMessage(message: ToWorker): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
}

type BootCommand = Extract<Command, { kind: 'boot' }>;

interface PendingCall {
  /** Of its result, so far. */
  readonly events: TelemetryEvent[];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Restarts within this time count together; at the limit the client gives up. */
const RESTART_WINDOW_MS = 60_000;
const RESTART_LIMIT = 3;

const REOPEN_ATTEMPTS = 10;
const REOPEN_PAUSE_MS = 100;

const CRASHED: WireError = {
  name: 'EngineError',
  code: 'worker-crashed',
  message: 'The engine stopped unexpectedly.',
  kept: 'Everything up to the last stored batch.',
  tryNext: 'Nothing: it starts again by itself. Repeat the last action if it is missing.',
};

const GAVE_UP: WireError = {
  ...CRASHED,
  message: `The engine stopped ${RESTART_LIMIT} times within a minute and is not started again.`,
  tryNext: 'Reload the page, or choose the WASM backend.',
};

/** The commands after which another session is open. */
const OPENING: ReadonlySet<Command['kind']> = new Set([
  'createSession',
  'openSession',
  'importSession',
  'branchSession',
  'leaveOutDocument',
]);

export class EngineClient {
  private worker: WorkerLike;
  private nextId = 1;
  private readonly calls = new Map<number, PendingCall>();
  private readonly listeners = new Set<(notice: Notice) => void>();
  private boot: BootCommand | null = null;
  private sessionId: string | null = null;
  private restarts: number[] = [];
  private lostGpu = 0;
  private isDisposed = false;

  /**
   * @param createWorker - called again after every crash.
   * @param baseUrl - what a relative model address is relative to; a worker would take its own file for that.
   */
  constructor(
    private readonly createWorker: () => WorkerLike,
    private readonly baseUrl: string,
  ) {
    this.worker = this.start();
  }

  /** Send a command. @throws {RemoteError} what the engine refused, or that it crashed meanwhile. */
  async call<C extends Command>(command: C): Promise<CommandResults[C['kind']]> {
    if (command.kind === 'boot') return this.bootWith(command) as Promise<CommandResults[C['kind']]>;
    const result = (await this.send(command)) as CommandResults[C['kind']];
    this.follow(command, result);
    return result;
  }

  /** @returns a function that ends it. */
  onNotice(listener: (notice: Notice) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  dispose(): void {
    this.isDisposed = true;
    this.worker.terminate();
    this.rejectAll(CRASHED);
    this.listeners.clear();
  }

  /** What comes back after a crash is the model that ran: one that brings the worker down must not do so again. */
  private async bootWith(command: BootCommand): Promise<BootReport> {
    const { place } = command;
    const absolute =
      place.kind === 'shipped'
        ? { ...command, place: { ...place, baseUrl: new URL(place.baseUrl, this.baseUrl).href } }
        : { ...command, place: { ...place, modelsUrl: new URL('./models/', this.baseUrl).href } };
    this.sessionId = null;
    this.boot ??= absolute;
    const report = (await this.send(absolute)) as BootReport;
    this.boot = absolute;
    return report;
  }

  /** Remember which session is open, to bring it back after a crash. */
  private follow(command: Command, result: unknown): void {
    if (OPENING.has(command.kind)) {
      this.sessionId = (result as SessionSnapshot).state.record.id;
    } else if (isEndOf(command, this.sessionId)) {
      this.sessionId = null;
    }
  }

  private start(): WorkerLike {
    const worker = this.createWorker();
    worker.onmessage = ({ data }) => {
      if (worker === this.worker) this.accept(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.worker)
        this.recover({ ...CRASHED, message: `${CRASHED.message} ${event.message}`.trim() });
    };
    worker.onmessageerror = () => {
      if (worker === this.worker) this.recover(CRASHED);
    };
    return worker;
  }

  private send(command: Command): Promise<unknown> {
    if (this.isDisposed) return Promise.reject(new RemoteError(CRASHED));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { events: [], resolve, reject });
      this.worker.postMessage({ id, command });
    });
  }

  private accept(message: FromWorker): void {
    switch (message.type) {
      case 'notice':
        this.tell(message.notice);
        return;
      case 'fatal':
        if (message.error.code === 'device-lost') this.lostGpu++;
        this.recover(message.error);
        return;
      case 'events': {
        const known = this.calls.get(message.id)?.events;
        for (const event of message.events) known?.push(event);
        return;
      }
      case 'reply': {
        const call = this.calls.get(message.id);
        this.calls.delete(message.id);
        if (message.ok) call?.resolve(withEvents(message.result, call.events));
        else call?.reject(new RemoteError(message.error));
      }
    }
  }

  private tell(notice: Notice): void {
    for (const listener of this.listeners) listener(notice);
  }

  private rejectAll(error: WireError): void {
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const { reject } of calls) reject(new RemoteError(error));
  }

  /** Start a new worker and bring back model and session. */
  private recover(error: WireError): void {
    if (this.isDisposed) return;
    this.worker.terminate();
    this.rejectAll(error);
    this.tell({ kind: 'problem', error });
    // Of a clock that nobody sets: a restart must not be counted until the wall clock has caught up with it.
    const now = performance.now();
    this.restarts = [...this.restarts.filter((at) => now - at < RESTART_WINDOW_MS), now];
    if (this.restarts.length > RESTART_LIMIT) {
      this.tell({ kind: 'problem', error: GAVE_UP });
      return;
    }
    this.worker = this.start();
    if (this.boot !== null) void this.bringBack(this.boot, this.sessionId);
  }

  /** The dead worker's lock is freed a moment after its death: until then the session opens read-only. */
  private async openForWriting(sessionId: string): Promise<SessionSnapshot> {
    for (let attempt = 1; ; attempt++) {
      const snapshot = (await this.send({ kind: 'openSession', sessionId })) as SessionSnapshot;
      if (!snapshot.state.readOnly || attempt === REOPEN_ATTEMPTS) return snapshot;
      await delay(REOPEN_PAUSE_MS);
    }
  }

  /** A GPU that was lost twice will be lost again, and one that was chosen by hand may be gone. */
  private async bootAgain(command: BootCommand): Promise<BootReport> {
    const isOnGpu = command.backend === 'auto' || command.backend === 'webgpu';
    if (this.lostGpu > 1 && isOnGpu) {
      const report = (await this.send({ ...command, backend: 'wasm' })) as BootReport;
      const reason = 'WASM runs because the GPU was lost twice.';
      return { ...report, backend: { ...report.backend, reason, wasOverridden: false } };
    }
    try {
      return (await this.send(command)) as BootReport;
    } catch (error) {
      if (this.lostGpu === 0 || command.backend !== 'webgpu') throw error;
      return (await this.send({ ...command, backend: 'auto' })) as BootReport;
    }
  }

  private async bringBack(command: BootCommand, sessionId: string | null): Promise<void> {
    try {
      const boot = await this.bootAgain(command);
      const snapshot = sessionId === null ? null : await this.openForWriting(sessionId);
      this.tell({ kind: 'restarted', boot, snapshot });
    } catch (error) {
      this.tell({ kind: 'problem', error: toWireError(error) });
    }
  }
}

/** A result with the events that came ahead of it, if any did. */
function withEvents(result: unknown, events: readonly TelemetryEvent[]): unknown {
  return events.length === 0 ? result : { ...(result as object), events };
}

/** The engine in a worker of its own. */
export function createEngineClient(): EngineClient {
  return new EngineClient(
    () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'engine' }),
    document.baseURI,
  );
}

/** Whether a command leaves a session closed behind it. */
function isEndOf(command: Command, sessionId: string | null): boolean {
  const ends = command.kind === 'removeSession' || (command.kind === 'changeSession' && command.deleted);
  return ends === true && command.sessionId === sessionId;
}
