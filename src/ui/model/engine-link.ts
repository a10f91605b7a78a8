/** Speaks with the engine for the whole page: every command goes out here, every notice comes in here. */
import type { Command, CommandKind, CommandResults, Notice } from '../../runtime/engine/protocol/protocol.ts';
import type { Problems } from './problems.ts';

/** What the page needs of the engine's client. */
export interface EnginePort {
  call<C extends Command>(command: C): Promise<CommandResults[C['kind']]>;
  onNotice(listener: (notice: Notice) => void): () => void;
  dispose(): void;
}

export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;
type NoticeKind = Notice['kind'];
type NoticeOf<K extends NoticeKind> = Extract<Notice, { kind: K }>;

/** What is done on each kind of notice. Whoever shows something of it adds a handler here. */
export class NoticeHandlers {
  readonly #handlers = new Map<NoticeKind, ((notice: Notice) => void)[]>();
  readonly #isOpen: (sessionId: string) => boolean;

  /** @param isOpen - whether the page shows this session: what is told of another comes too late, or too early. */
  constructor(isOpen: (sessionId: string) => boolean) {
    this.#isOpen = isOpen;
  }

  on<K extends NoticeKind>(kind: K, handler: (notice: NoticeOf<K>) => void): void {
    const known = this.#handlers.get(kind) ?? [];
    this.#handlers.set(kind, [...known, handler as (notice: Notice) => void]);
  }

  accept(notice: Notice): void {
    const isAboutAnother = 'sessionId' in notice && !this.#isOpen(notice.sessionId);
    // That something failed is told even of a session that was closed.
    if (isAboutAnother && notice.kind !== 'problem') return;
    for (const handler of this.#handlers.get(notice.kind) ?? []) handler(notice);
  }
}

export class EngineLink {
  readonly #port: EnginePort;
  readonly #problems: Problems;
  readonly #stopNotices: () => void;

  constructor(port: EnginePort, notices: NoticeHandlers, problems: Problems) {
    this.#port = port;
    this.#problems = problems;
    this.#stopNotices = port.onNotice((notice) => {
      notices.accept(notice);
    });
  }

  /** Send a command; rejects as the engine does. */
  send<K extends CommandKind>(command: CommandOf<K>): Promise<CommandResults[K]> {
    return this.#port.call(command);
  }

  /** Send a command and show a problem if it fails. Null after a failure. */
  async attempt<K extends CommandKind>(
    title: string,
    command: CommandOf<K>,
  ): Promise<CommandResults[K] | null> {
    try {
      return await this.send(command);
    } catch (error) {
      this.#problems.reportError(title, error);
      return null;
    }
  }

  /** Let go of the engine. */
  dispose(): void {
    this.#stopNotices();
    this.#port.dispose();
  }
}
