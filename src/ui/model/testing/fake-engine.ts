/** An engine that a test answers for. */
import type { Command, Notice } from '../../../runtime/engine/protocol/protocol.ts';
import type { EnginePort } from '../engine-link.ts';

interface FakeEngine {
  readonly port: EnginePort;
  /** The kinds of the commands that came, in order. */
  readonly sent: readonly Command['kind'][];
  readonly tell: (notice: Notice) => void;
}

/** @param answer - what a command comes to; without it, commands wait for ever. */
export function fakeEngine(
  answer: (command: Command) => unknown = () => new Promise(() => undefined),
): FakeEngine {
  const sent: Command['kind'][] = [];
  const listeners = new Set<(notice: Notice) => void>();
  const port = {
    call: (command: Command) => {
      sent.push(command.kind);
      return Promise.resolve(answer(command));
    },
    onNotice: (listener: (notice: Notice) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => undefined,
  };
  return {
    port: port as unknown as EnginePort,
    sent,
    tell: (notice) => {
      for (const listener of listeners) listener(notice);
    },
  };
}
