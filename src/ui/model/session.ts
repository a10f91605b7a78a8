/** A mirror of the engine's session: small facts only. The run itself is in run.ts. */
import { type StoreApi, createStore } from 'zustand';
import type {
  BootReport,
  ModelReport,
  ProvenanceRun,
  SessionRecord,
  SessionState,
} from '../../runtime/engine/protocol/protocol.ts';

interface Progress {
  readonly task: 'load' | 'ingest' | 'rebuild' | 'transfer';
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

export interface SessionFacts {
  readonly phase: 'booting' | 'opening' | 'ready' | 'failed';
  readonly boot: BootReport | null;
  readonly sessions: readonly SessionRecord[];
  /** Those that were deleted and can be taken back. */
  readonly deletedSessions: readonly SessionRecord[];
  readonly session: SessionState | null;
  readonly provenance: readonly ProvenanceRun[];
  readonly progress: Progress | null;
  /** What storage found damaged when the session was opened. */
  readonly damage: readonly string[];
  /** Ingestion pace in tokens per second; 0 = as fast as the machine can. */
  readonly pace: number;
  /** Tokens per second that came in of late; null while nothing runs or too little is known. */
  readonly reachedPace: number | null;
  readonly running: boolean;
  /** A new session is being made and given its first text; no other may be opened in between. */
  readonly settingUp: boolean;
}

const INITIAL_PACE = 1500;

export type SessionMirror = StoreApi<SessionFacts>;

export function createSessionMirror(): SessionMirror {
  return createStore<SessionFacts>()(() => ({
    phase: 'booting',
    boot: null,
    sessions: [],
    deletedSessions: [],
    session: null,
    provenance: [],
    progress: null,
    damage: [],
    pace: INITIAL_PACE,
    reachedPace: null,
    running: false,
    settingUp: false,
  }));
}

/** Whether this is the session that the page shows. */
export function isOpenSession({ session }: SessionFacts, sessionId: string): boolean {
  return session?.record.id === sessionId;
}

/** All that is stored, as it is listed. */
export function listsOf(
  stored: readonly SessionRecord[],
): Pick<SessionFacts, 'sessions' | 'deletedSessions'> {
  const isDeleted = ({ deletedAt }: SessionRecord) => deletedAt != null;
  return {
    sessions: stored.filter((record) => !isDeleted(record)),
    deletedSessions: stored.filter(isDeleted),
  };
}

/** True while another session can be opened or made: none is on its way. */
export function canChangeSession({ boot, phase, settingUp }: SessionFacts): boolean {
  return boot !== null && phase !== 'booting' && phase !== 'opening' && !settingUp;
}

/** The sessions that this model can go on with, the newest first. */
export function sessionsOf(
  { id, hash, hasHeads }: ModelReport,
  sessions: readonly SessionRecord[],
): readonly SessionRecord[] {
  // A base without heads is known by its weights alone: the same name comes in many quantisations.
  const fits = ({ modelId, modelHash }: SessionRecord) => modelId === id && (hasHeads || modelHash === hash);
  return sessions.filter(fits).sort((a, b) => b.updatedAt - a.updatedAt);
}
