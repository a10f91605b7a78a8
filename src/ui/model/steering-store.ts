/** What the researcher did by hand, so that it can be undone, and what it did to the next tokens. */
import { create } from 'zustand';
import type { CommandResults, ContinuationScore, ManualAct } from '../../runtime/engine/protocol/protocol.ts';
import type { BlockRef } from './view-store.ts';

/** One act on one block of one session. */
export interface SteeringMove {
  readonly sessionId: string;
  readonly action: ManualAct;
  readonly block: BlockRef;
  /** What a tag says. */
  readonly name?: string;
  /** The tag that stood there before, if any. */
  readonly formerName?: string;
}

interface Compared<T> {
  readonly before: T;
  readonly after: T;
}

/** What an act changed in what the model expects. */
export interface SteeringEffect {
  readonly block: BlockRef;
  readonly words: string;
  readonly nextTokens: Compared<CommandResults['nextTokens']>;
  /** Null while no continuation was chosen, or where it could not be scored. */
  readonly continuation: Compared<ContinuationScore> | null;
}

interface SteeringStore {
  /** Newest last. */
  readonly done: readonly SteeringMove[];
  readonly undone: readonly SteeringMove[];
  readonly effect: SteeringEffect | null;
  /** The text whose likelihood is followed; empty for none. */
  readonly continuation: string;
  readonly busy: boolean;
}

export const useSteering = create<SteeringStore>()(() => ({
  done: [],
  undone: [],
  effect: null,
  continuation: '',
  busy: false,
}));
