/** Problems that the user should know of: what happened, what was kept, what to try. */
import { create } from 'zustand';
import type { WireError } from '../../runtime/engine/protocol/protocol.ts';

interface Problem {
  readonly id: number;
  readonly title: string;
  readonly message: string;
  readonly kept: string;
  readonly tryNext: string;
  readonly tone: 'error' | 'info';
  /** Goes by itself: good news that nobody has to act on. */
  readonly isBrief?: boolean;
}

export const useProblems = create<{ readonly problems: readonly Problem[] }>()(() => ({ problems: [] }));

const MOST_AT_ONCE = 3;
const BRIEF_MS = 8000;
let nextId = 1;

/** Show a problem; one that is shown already is not repeated. */
export function report(problem: Omit<Problem, 'id'>): void {
  const id = nextId++;
  useProblems.setState(({ problems }) => {
    if (problems.some(({ message }) => message === problem.message)) return { problems };
    return { problems: [...problems, { ...problem, id }].slice(-MOST_AT_ONCE) };
  });
  if (problem.isBrief) {
    setTimeout(() => {
      dismiss(id);
    }, BRIEF_MS);
  }
}

export function dismiss(id: number): void {
  useProblems.setState(({ problems }) => ({ problems: problems.filter((problem) => problem.id !== id) }));
}

/** Show whatever a command threw: the engine's typed errors keep their advice, others get a plain one. */
export function reportError(title: string, error: unknown): void {
  report({ title, ...wordsOf(error), tone: 'error' });
}

export function reportWireError(error: WireError): void {
  report({
    title: error.name,
    message: error.message,
    kept: error.kept,
    tryNext: error.tryNext,
    tone: 'error',
  });
}

function wordsOf(error: unknown): { message: string; kept: string; tryNext: string } {
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
