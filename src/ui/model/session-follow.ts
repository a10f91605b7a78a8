/**
 * Tabs tell each other of the session that one of them writes: a tab that can only read it shows what was added, as
 * soon as it is stored.
 */
import type { EngineLink } from './engine-link.ts';
import type { SessionIntake } from './session-intake.ts';
import { type SessionMirror, isOpenSession } from './session.ts';

/** A `BroadcastChannel`, as far as it is used. */
export interface TabChannel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

interface Parts {
  readonly mirror: SessionMirror;
  readonly engine: EngineLink;
  readonly intake: SessionIntake;
}

export const SESSIONS_CHANNEL = 'megacontext-playground.sessions';
/** Longer than storage takes to write what a state speaks of. */
const TELL_AFTER_MS = 1000;
/** Reading a session again is work. */
const READ_AGAIN_AFTER_MS = 2000;

/** Start to tell and to listen. @returns a function that stops; the channel is closed then. */
export function followSessions({ mirror, engine, intake }: Parts, channel: TabChannel): () => void {
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
      if (snapshot && isOpenSession(mirror.getState(), sessionId)) intake.acceptNewerSnapshot(snapshot);
    }
    reading = undefined;
  };
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
    clearTimeout(telling);
    clearTimeout(reading);
    channel.onmessage = null;
    channel.close();
  };
}
