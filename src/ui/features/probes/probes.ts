/** The open session's probes: asked one after the other beside it, on request or whenever so much more was read. */
import { createStore } from 'zustand';
import type { EngineLink } from '../../model/engine-link.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { type KeptProbes, NO_PROBES, type Probe, keepProbes, readProbes } from './probe-store.ts';

/** Tokens between two rounds; 0: only on request, 1: at every refocus. */
export const EVERY_TOKENS = [0, 1, 512, 1024, 4096] as const;

/** Of one question, the newest. */
const KEPT_OUTCOMES = 64;

export interface ProbesState extends KeptProbes {
  /** The question that is being asked; null while none is. */
  readonly asking: string | null;
}

interface Parts {
  readonly engine: Pick<EngineLink, 'attempt'>;
  readonly mirror: Model['mirror'];
}

export class Probes {
  readonly #store = createStore<ProbesState>()(() => ({ ...NO_PROBES, asking: null }));
  readonly #parts: Parts;
  #sessionId: string | null = null;
  /** The history's length at the last round. */
  #askedAt = 0;

  constructor({ engine, mirror }: Parts) {
    this.#parts = { engine, mirror };
    mirror.subscribe(() => {
      this.#follow();
    });
  }

  get store(): ReadableStore<ProbesState> {
    return this.#store;
  }

  /** @param expected - what the answer must hold, all of it. */
  add(question: string, expected: readonly string[]): void {
    const { probes } = this.#store.getState();
    const id = String(1 + Math.max(0, ...probes.map((probe) => Number(probe.id))));
    this.#keep({ probes: [...probes, { id, question, expected: [...expected], outcomes: [] }] });
  }

  remove(id: string): void {
    this.#keep({ probes: this.#store.getState().probes.filter((probe) => probe.id !== id) });
  }

  setEvery(everyTokens: number): void {
    this.#keep({ everyTokens });
    this.#follow();
  }

  /** Ask all of them now, one after the other. Does nothing while a round is under way. */
  async askAll(): Promise<void> {
    const sessionId = this.#sessionId;
    if (sessionId === null || this.#store.getState().asking !== null) return;
    this.#askedAt = this.#cursor;
    for (const { id } of this.#store.getState().probes) {
      if (this.#sessionId !== sessionId || !(await this.#ask(id, sessionId))) break;
    }
    this.#store.setState({ asking: null });
    this.#follow();
  }

  /** @returns false if it could not be asked: then the others cannot either. */
  async #ask(id: string, sessionId: string): Promise<boolean> {
    const probe = this.#store.getState().probes.find((each) => each.id === id);
    if (!probe) return true;
    this.#store.setState({ asking: id });
    const { question, expected } = probe;
    const command = { kind: 'probe', question, expected } as const;
    const outcome = await this.#parts.engine.attempt(`“${question}” could not be asked`, command);
    if (outcome === null || this.#sessionId !== sessionId) return false;
    const withOutcome = (each: Probe): Probe =>
      each.id === id ? { ...each, outcomes: [...each.outcomes, outcome].slice(-KEPT_OUTCOMES) } : each;
    this.#keep({ probes: this.#store.getState().probes.map(withOutcome) });
    return true;
  }

  get #cursor(): number {
    return this.#parts.mirror.getState().session?.cursor ?? 0;
  }

  /** Another session brings its own; more history may make a round due. */
  #follow(): void {
    const { session } = this.#parts.mirror.getState();
    const sessionId = session?.record.id ?? null;
    if (sessionId !== this.#sessionId) {
      this.#sessionId = sessionId;
      this.#askedAt = this.#cursor;
      this.#store.setState({ ...(sessionId === null ? NO_PROBES : readProbes(sessionId)), asking: null });
    }
    const { everyTokens, probes, asking } = this.#store.getState();
    const isDue = everyTokens > 0 && this.#cursor - this.#askedAt >= everyTokens;
    if (isDue && asking === null && probes.length > 0 && session?.activity !== 'answering')
      void this.askAll();
  }

  #keep(change: Partial<KeptProbes>): void {
    this.#store.setState(change);
    const { probes, everyTokens } = this.#store.getState();
    if (this.#sessionId !== null) keepProbes(this.#sessionId, { probes, everyTokens });
  }
}
