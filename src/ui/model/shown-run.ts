/** The run that a view shows: the open session's, or a recording in front of it. */
import type { ProvenanceRun } from '../../runtime/engine/protocol/protocol.ts';
import { Run } from './run.ts';

/** What is read of a run, by the places of a playhead. */
export type RunFrames = Pick<
  Run,
  | 'frameCount'
  | 'cursor'
  | 'violations'
  | 'frameAt'
  | 'stepAt'
  | 'layoutAt'
  | 'scoredLayoutAt'
  | 'deltaNllAt'
  | 'latenciesAt'
  | 'configAt'
  | 'configChanges'
  | 'decodedAt'
  | 'indexOfStep'
  | 'nextAction'
  | 'headIds'
  | 'ofHead'
  | 'routingAt'
  | 'readsUpTo'
  | 'gainsUpTo'
  | 'stagingAt'
  | 'stagingUseUpTo'
  | 'prunings'
>;

/** Where a view has its run from; another run may come to stand for it, so it is asked at every use. */
export interface RunSource {
  readonly run: RunFrames;
  /** Who wrote which part of the history, as far as the source knows. */
  readonly provenance: readonly ProvenanceRun[];
  /** Tokens that hold the answer to the question that the run is about; absent where nobody knows. */
  readonly gold?: readonly TokenSpan[];
  /** Told when the run grew or another one stands for it. */
  subscribe(listener: () => void): () => void;
}

/** Tokens `start..end-1`. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

interface Recorded {
  readonly run: Run;
  readonly provenance: readonly ProvenanceRun[];
  readonly gold: readonly TokenSpan[];
}

const NO_GOLD: readonly TokenSpan[] = [];

export class ShownRun implements RunSource {
  /** The open session's run: its events go here, whatever stands in front. */
  readonly live = new Run();
  readonly #liveProvenance: () => readonly ProvenanceRun[];
  readonly #listeners = new Set<() => void>();
  #recorded: Recorded | null = null;

  /** @param liveProvenance - of the open session. */
  constructor(liveProvenance: () => readonly ProvenanceRun[]) {
    this.#liveProvenance = liveProvenance;
    this.live.subscribe(() => {
      if (this.isLive) this.tell();
    });
  }

  get run(): Run {
    return this.#recorded?.run ?? this.live;
  }

  get provenance(): readonly ProvenanceRun[] {
    return this.#recorded?.provenance ?? this.#liveProvenance();
  }

  get gold(): readonly TokenSpan[] {
    return this.#recorded?.gold ?? NO_GOLD;
  }

  get isLive(): boolean {
    return this.#recorded === null;
  }

  /** Show a recording; the session's run goes on behind it. @param gold - tokens to point out. */
  showRecorded(run: Run, provenance: readonly ProvenanceRun[], gold: readonly TokenSpan[] = NO_GOLD): void {
    this.#recorded = { run, provenance, gold };
    this.tell();
  }

  /** Show the session's run again. */
  showLive(): void {
    if (this.isLive) return;
    this.#recorded = null;
    this.tell();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is shown beside the run's own frames changed. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
