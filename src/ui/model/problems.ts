/** Problems that the user should know of: what happened, what was kept, what to try. */
import { createStore } from 'zustand';
import type { WireError } from '../../runtime/engine/protocol/protocol.ts';
import type { ReadableStore } from './readable-store.ts';

interface Problem {
  readonly id: number;
  readonly title: string;
  readonly message: string;
  readonly kept: string;
  readonly tryNext: string;
  readonly tone: 'error' | 'info';
  /** Goes by itself: good news that nobody has to act on. */
  readonly isBrief?: boolean;
  /** Something that can be done about it at once. */
  readonly act?: { readonly title: string; readonly run: () => void };
}

/** What happened, by the class of the error: its name is nobody's word. */
const TITLES: Readonly<Record<string, string>> = {
  StorageError: 'The session could not be saved',
  EngineError: 'The engine was interrupted',
  OracleLimitError: 'The policy could not score this window',
  CapacityError: 'There is no room for this',
};

const MOST_AT_ONCE = 3;
const BRIEF_MS = 8000;

export class Problems {
  readonly #store = createStore<{ readonly problems: readonly Problem[] }>()(() => ({ problems: [] }));
  #nextId = 1;

  get store(): ReadableStore<{ readonly problems: readonly Problem[] }> {
    return this.#store;
  }

  /** Show a problem; one that is shown already is not repeated. */
  report(problem: Omit<Problem, 'id'>): void {
    const id = this.#nextId++;
    this.#store.setState(({ problems }) => {
      if (problems.some(({ title, message }) => title === problem.title && message === problem.message))
        return { problems };
      return { problems: [...problems, { ...problem, id }].slice(-MOST_AT_ONCE) };
    });
    if (problem.isBrief) {
      setTimeout(() => {
        this.dismiss(id);
      }, BRIEF_MS);
    }
  }

  dismiss(id: number): void {
    this.#store.setState(({ problems }) => ({ problems: problems.filter((problem) => problem.id !== id) }));
  }

  /** Show whatever a command threw: the engine's typed errors keep their advice, others get a plain one. */
  reportError(title: string, error: unknown): void {
    this.report({ title, ...wordsOf(error), tone: 'error' });
  }

  /** Show what went wrong in the engine while nobody waited for an answer. */
  reportWireError({ name, message, kept, tryNext }: WireError): void {
    this.report({
      title: TITLES[name] ?? 'Something went wrong in the engine',
      message,
      kept,
      tryNext,
      tone: 'error',
    });
  }
}

/** What a command threw, in words; empty where it says nothing. */
export function wordsOf(error: unknown): { message: string; kept: string; tryNext: string } {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Partial<
    Record<keyof WireError, unknown>
  >;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    message: text(fields.message) || String(error),
    kept: text(fields.kept),
    tryNext: text(fields.tryNext),
  };
}
