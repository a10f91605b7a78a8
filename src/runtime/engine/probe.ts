/**
 * Asks a question beside the open session: a fork of its memory and working contexts takes the turn, decodes greedily
 * and is given up. Nothing of it reaches the session, its trace or storage.
 */
import type { Clock } from '../../base/clock.ts';
import { judgeAnswer } from '../evaluation/cases/expected-answer.ts';
import { GREEDY, MAX_ANSWER_TOKENS } from '../session/decoding/greedy.ts';
import type { ProbeResult } from '../session/messages/run-messages.ts';
import { Session } from '../session/session.ts';

export interface ProbeRequest {
  readonly question: string;
  /** All of them have to stand in the answer, in any order. */
  readonly expected: readonly string[];
}

export interface RunningProbe {
  readonly result: Promise<ProbeResult>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

/** @param session - borrowed; it may go on meanwhile. */
export function startProbe(
  session: Session,
  { question, expected }: ProbeRequest,
  surroundings: { readonly backend: string; readonly clock: Clock },
): RunningProbe {
  let beside: Session | null = null;
  let isStopped = false;
  const ask = async (): Promise<ProbeResult> => {
    const fork = await session.steps.exclusive(() => Promise.resolve(forkOf(session, surroundings)));
    beside = fork;
    const { cursor, step } = fork.state;
    try {
      if (isStopped) fork.stopAnswer();
      const { answer } = await fork.ask(question);
      const { isAnswered } = judgeAnswer({ kind: 'set', values: expected }, answer.text);
      return { answer: answer.text.trim(), isAnswered, cursor, step };
    } finally {
      await fork.close();
    }
  };
  const result = ask();
  return {
    result,
    stop: async () => {
      isStopped = true;
      beside?.stopAnswer();
      await result.catch(() => undefined);
    },
  };
}

function forkOf(
  session: Session,
  { backend, clock }: { readonly backend: string; readonly clock: Clock },
): Session {
  const { steps } = session;
  const { focus, model, marks, hidden, lens } = steps;
  const { maxNewTokens } = steps.requestedConfig;
  const config = {
    ...steps.requestedConfig,
    ...GREEDY,
    maxNewTokens: Math.min(maxNewTokens, MAX_ANSWER_TOKENS),
    deltaNllEverySteps: 0,
  };
  const fork = new Session({
    model,
    backend,
    handle: null,
    record: { ...steps.record, config },
    focus: { ...focus.state, tree: focus.memory.tree.fork() },
    clock,
    notify: () => undefined,
    resumed: {
      timeMs: 0,
      chat: [],
      marks: marks.list,
      hidden: hidden.list,
      gistsStored: [],
      hasPending: false,
    },
  });
  if (lens !== null) fork.steps.useLens(lens.kept, lens.mark);
  return fork;
}
