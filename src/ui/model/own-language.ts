/**
 * Whether a text is in the language that the shipped model learned, which is that of one small harbour. It answers
 * everything else, too, and means nothing by it; its own surprise tells.
 */
import { createStore } from 'zustand';
import type { EngineLink } from './engine-link.ts';
import { SHIPPED_ID } from './shipped-model.ts';
import type { ReadableStore } from './readable-store.ts';
import type { SessionMirror } from './session.ts';

interface ForeignText {
  readonly sessionId: string;
  /** What the text is called, or the question itself. */
  readonly name: string;
  /** Mean over its tokens, nats. */
  readonly nll: number;
}

export interface OwnLanguageState {
  readonly question: ForeignText | null;
  readonly document: ForeignText | null;
}

/**
 * Mean NLL from which a text is foreign, nats a token. On the shipped weights, behind 1,000 tokens of the example, its
 * questions cost 1.3 to 2.0, in forms that training never showed up to 2.6, and its prose at most 2.3; questions from
 * elsewhere cost 3.9 to 9, English, German, code and JSON 6.7 to 10.
 */
export const FOREIGN_NLL = { question: 3.3, document: 4.5 } as const;

/** As the shipped model's chat writes a question: what is asked says more there than in the midst of a text. */
const QUESTION_LEAD = '\n\nQuestion: ';

/** The first tokens say where a text stands, not what it is. */
const LEFT_OUT_TOKENS = 2;
/** Within what one query scores, even where every other character is a token. */
const SAMPLE_CHARACTERS = 150;
/** Without a history there is nothing to predict from. */
const LEAST_HISTORY_TOKENS = 64;

export class OwnLanguage {
  readonly #store = createStore<OwnLanguageState>()(() => ({ question: null, document: null }));
  readonly #engine: Pick<EngineLink, 'send'>;
  readonly #mirror: SessionMirror;

  constructor({
    engine,
    mirror,
  }: {
    readonly engine: Pick<EngineLink, 'send'>;
    readonly mirror: SessionMirror;
  }) {
    this.#engine = engine;
    this.#mirror = mirror;
  }

  get store(): ReadableStore<OwnLanguageState> {
    return this.#store;
  }

  /** Look at a question before it is asked. Never throws: what cannot be measured is not spoken of. */
  async checkQuestion(text: string): Promise<void> {
    this.#store.setState({ question: await this.#foreign('question', QUESTION_LEAD + text, text) });
  }

  /** Look at a text that was queued, once there is something to predict it from. Never throws. */
  async checkDocument(text: string, title: string): Promise<void> {
    const sessionId = this.#openSessionId;
    if (sessionId === undefined || !(await this.#hasHistory(sessionId))) return;
    // Of the end: what was read meanwhile is no test.
    const document = await this.#foreign('document', text.trimEnd().slice(-SAMPLE_CHARACTERS), title);
    if (this.#openSessionId === sessionId) this.#store.setState({ document });
  }

  get #openSessionId(): string | undefined {
    return this.#mirror.getState().session?.record.id;
  }

  /** Resolves to false if another session is opened before the history has begun. */
  #hasHistory(sessionId: string): Promise<boolean> {
    return new Promise((resolve) => {
      const check = () => {
        const { session } = this.#mirror.getState();
        const isOpen = session?.record.id === sessionId;
        if (isOpen && session.cursor < LEAST_HISTORY_TOKENS) return;
        stop();
        resolve(isOpen);
      };
      const stop = this.#mirror.subscribe(check);
      check();
    });
  }

  async #foreign(kind: keyof typeof FOREIGN_NLL, sample: string, name: string): Promise<ForeignText | null> {
    const sessionId = this.#openSessionId;
    const isShipped = this.#mirror.getState().boot?.model.id === SHIPPED_ID;
    if (sessionId === undefined || !isShipped) return null;
    try {
      const { tokens } = await this.#engine.send({ kind: 'scoreContinuation', text: sample });
      const counted = tokens.slice(LEFT_OUT_TOKENS);
      if (counted.length === 0) return null;
      const nll = counted.reduce((sum, token) => sum + token.nll, 0) / counted.length;
      return nll < FOREIGN_NLL[kind] ? null : { sessionId, name, nll };
    } catch {
      return null;
    }
  }
}
