/**
 * Tabs tell each other of the session that one of them writes: a tab that can only read it shows what was added, as
 * soon as it is stored, and writes it once the other one is gone.
 */
import type { EngineLink } from './engine-link.ts';
import type { SessionIntake } from './session-intake.ts';
import type { Problems } from './problems.ts';
import { type SessionMirror, isOpenSession } from './session.ts';

/** A `BroadcastChannel`, as far as it is used. */
export interface TabChannel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/**
 * A `LockManager`, as far as it is used: a lock is given to one page at a time, and is free when the page that holds
 * it dies. It belongs to the page, not to its worker: a worker that crashed and comes back is waited for.
 */
export interface TabLocks {
  request(
    name: string,
    options: { readonly signal: AbortSignal },
    whileHeld: () => Promise<void>,
  ): Promise<unknown>;
}

interface Parts {
  readonly mirror: SessionMirror;
  readonly engine: EngineLink;
  readonly intake: SessionIntake;
  readonly problems: Problems;
}

export const SESSIONS_CHANNEL = 'megacontext-playground.sessions';
/** Longer than storage takes to write what a state speaks of. */
const TELL_AFTER_MS = 1000;
/** Reading a session again is work. */
const READ_AGAIN_AFTER_MS = 2000;
/** Storage frees a session a moment after the page that wrote it is gone. */
const TAKE_OVER_AGAIN_AFTER_MS = 1000;

/**
 * Start to tell and to listen.
 *
 * @param locks - null where the browser has none: nobody takes over then.
 * @returns a function that stops; the channel is closed then.
 */
export function followSessions(
  { mirror, engine, intake, problems }: Parts,
  channel: TabChannel,
  locks: TabLocks | null,
): () => void {
  let telling: ReturnType<typeof setTimeout> | undefined;
  let reading: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    telling = undefined;
    const { session } = mirror.getState();
    if (session && !session.readOnly) channel.postMessage({ sessionId: session.record.id });
  };
  const readAgain = async () => {
    const { session, phase } = mirror.getState();
    if (session?.readOnly && phase === 'ready') {
      const sessionId = session.record.id;
      const snapshot = await engine.attempt('The session could not be read again', {
        kind: 'openSession',
        sessionId,
      });
      if (snapshot && isOpenSession(mirror.getState(), sessionId)) await intake.acceptNewerSnapshot(snapshot);
    }
    reading = undefined;
  };
  const standsInLine = standInLine(mirror, locks, async () => {
    clearTimeout(reading);
    await readAgain();
    if (mirror.getState().session?.readOnly === false) problems.report(TAKEN_OVER);
  });
  channel.onmessage = ({ data }) => {
    const { session } = mirror.getState();
    const { sessionId } = (data ?? {}) as { readonly sessionId?: unknown };
    if (!session?.readOnly || session.record.id !== sessionId) return;
    reading ??= setTimeout(() => void readAgain(), READ_AGAIN_AFTER_MS);
  };
  const stop = mirror.subscribe(({ session }, before) => {
    if (session !== before.session && session && !session.readOnly)
      telling ??= setTimeout(tell, TELL_AFTER_MS);
  });
  return () => {
    stop();
    standsInLine();
    clearTimeout(telling);
    clearTimeout(reading);
    channel.onmessage = null;
    channel.close();
  };
}

const TAKEN_OVER = {
  title: 'This tab writes the session now',
  message: 'The tab that had it open for writing is gone.',
  kept: 'Everything that it stored is here.',
  tryNext: '',
  tone: 'info',
  isBrief: true,
} as const;

/**
 * Hold the lock of the open session while this page writes it, and wait for it while it only reads.
 *
 * @param takeOver - called when the lock was given to a page that reads; opens the session again.
 * @returns a function that lets go.
 */
function standInLine(
  mirror: SessionMirror,
  locks: TabLocks | null,
  takeOver: () => Promise<void>,
): () => void {
  if (locks === null) return () => undefined;
  let place = new AbortController();
  let sessionId: string | null = null;
  const stand = (id: string, { signal }: AbortController): void => {
    const leave = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    const whileHeld = async (): Promise<void> => {
      if (mirror.getState().session?.readOnly === true) await takeOver();
      const { session } = mirror.getState();
      if (signal.aborted || (session?.record.id === id && !session.readOnly)) return leave;
      // Somebody else writes it after all: the lock is theirs.
      setTimeout(() => {
        if (!signal.aborted) stand(id, place);
      }, TAKE_OVER_AGAIN_AFTER_MS);
    };
    locks.request(`${SESSIONS_CHANNEL}/${id}`, { signal }, whileHeld).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  };
  const move = (): void => {
    const id = mirror.getState().session?.record.id ?? null;
    if (id === sessionId) return;
    place.abort();
    place = new AbortController();
    sessionId = id;
    if (id !== null) stand(id, place);
  };
  move();
  const stop = mirror.subscribe(move);
  return () => {
    stop();
    place.abort();
  };
}
