/** Acting on blocks by hand, taking it back and doing it again; every act measures what it did to the next tokens. */
import { createStore } from 'zustand';
import { STAGING_HEAD } from '../../core/heads/head-specs.ts';
import type { CommandResults, ContinuationScore, ManualAct } from '../../runtime/engine/protocol/protocol.ts';
import type { EngineLink } from './engine-link.ts';
import type { Problems } from './problems.ts';
import type { ReadableStore } from './readable-store.ts';
import type { RunView } from './run-view.ts';
import type { SessionIntake } from './session-intake.ts';
import type { SessionMirror } from './session.ts';
import type { ShownRun } from './shown-run.ts';
import {
  type HidingMove,
  type Move,
  type SteeringMove,
  STAGING_IS_NOT_MOVED,
  inverseOf,
  resultOf,
} from './steering-moves.ts';
import type { BlockRef } from './viewport.ts';

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

export interface SteeringState {
  /** Newest last. */
  readonly done: readonly Move[];
  readonly undone: readonly Move[];
  readonly effect: SteeringEffect | null;
  /** The text whose likelihood is followed; empty for none. */
  readonly continuation: string;
  readonly busy: boolean;
}

const COMPARED_TOKENS = 8;
const KEPT_MOVES = 200;

const PAST: Readonly<Record<ManualAct, string>> = {
  expand: 'expanded',
  collapse: 'collapsed',
  pin: 'pinned',
  unpin: 'unpinned',
  forbid: 'forbidden to expand',
  allow: 'allowed to expand',
  tag: 'tagged',
  untag: 'untagged',
};

interface Parts {
  readonly engine: EngineLink;
  readonly mirror: SessionMirror;
  readonly intake: SessionIntake;
  readonly shown: ShownRun;
  readonly view: RunView;
  readonly problems: Problems;
}

export class Steering {
  readonly #store = createStore<SteeringState>()(() => ({
    done: [],
    undone: [],
    effect: null,
    continuation: '',
    busy: false,
  }));
  readonly #parts: Parts;
  #lastInLine: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get store(): ReadableStore<SteeringState> {
    return this.#store;
  }

  /** Choose the text whose likelihood is followed; empty for none. */
  follow(continuation: string): void {
    this.#store.setState({ continuation });
  }

  /** Act on a block of the open session; it can be undone. A refusal becomes a problem and changes nothing. */
  act(action: ManualAct, block: BlockRef, name?: string): Promise<void> {
    return this.#inLine(() => this.#act(action, block, name));
  }

  /** Hide a document of the open session from focus, or show it again; it can be undone. */
  hideDocument(documentId: string, title: string, hidden: boolean): Promise<void> {
    return this.#inLine(async () => {
      const sessionId = this.#parts.mirror.getState().session?.record.id;
      if (sessionId === undefined) return;
      const move = { sessionId, documentId, title, hidden };
      if (await this.#perform(move)) this.#keep(move);
    });
  }

  /** Take the last act back. What can no longer be taken back is dropped, with a problem that says why. */
  undo(): Promise<void> {
    return this.#inLine(async () => {
      const move = this.#lastOf(this.#store.getState().done);
      if (!move) return;
      this.#store.setState(({ done }) => ({ done: done.slice(0, -1) }));
      if (await this.#perform(inverseOf(move))) {
        this.#store.setState(({ undone }) => ({ undone: [...undone, move] }));
      }
    });
  }

  /** Do again what was taken back last. */
  redo(): Promise<void> {
    return this.#inLine(async () => {
      const move = this.#lastOf(this.#store.getState().undone);
      if (!move) return;
      this.#store.setState(({ undone }) => ({ undone: undone.slice(0, -1) }));
      if (await this.#perform(move)) this.#store.setState(({ done }) => ({ done: [...done, move] }));
    });
  }

  /** The chosen continuation's likelihood now; null where there is none. Why it cannot be scored becomes a problem. */
  async scoreContinuation(): Promise<ContinuationScore | null> {
    const { continuation } = this.#store.getState();
    if (continuation === '') return null;
    try {
      return await this.#parts.engine.send({ kind: 'scoreContinuation', text: continuation });
    } catch (error) {
      this.#parts.problems.reportError('The continuation was not scored', error);
      return null;
    }
  }

  /** One act after the other: a key pressed while an act is being measured waits for it. */
  #inLine(work: () => Promise<void>): Promise<void> {
    this.#lastInLine = this.#lastInLine.then(work, work);
    return this.#lastInLine;
  }

  async #act(action: ManualAct, block: BlockRef, name?: string): Promise<void> {
    const { session } = this.#parts.mirror.getState();
    if (!session) return;
    const isMove = action === 'expand' || action === 'collapse';
    if (isMove && this.#parts.view.head === STAGING_HEAD) {
      const failure = `The block could not be ${PAST[action]}`;
      this.#parts.problems.reportError(failure, new Error(STAGING_IS_NOT_MOVED));
      return;
    }
    const { lod, start } = block;
    const former = session.marks.find(
      (mark) => mark.kind === 'tag' && mark.lod === lod && mark.start === start,
    );
    const isNaming = action === 'tag' || action === 'untag';
    const move: SteeringMove = {
      sessionId: session.record.id,
      action,
      block,
      // Moves change the shown head's context, marks concern all.
      ...(isMove && this.#parts.view.head > 0 ? { head: this.#parts.view.head } : {}),
      ...(name === undefined ? {} : { name }),
      ...(isNaming && former?.name !== undefined ? { formerName: former.name } : {}),
    };
    if (await this.#perform(move)) this.#keep(move);
  }

  #keep(move: Move): void {
    this.#store.setState(({ done }) => ({
      done: [...done.filter(({ sessionId }) => sessionId === move.sessionId), move].slice(-KEPT_MOVES),
      undone: [],
    }));
  }

  /** The newest move, if it belongs to the open session and that is what the page shows. */
  #lastOf(moves: readonly Move[]): Move | null {
    const { mirror, shown } = this.#parts;
    const move = moves.at(-1);
    const isOpen = move?.sessionId === mirror.getState().session?.record.id;
    return move && isOpen && shown.isLive ? move : null;
  }

  /** @returns false if the engine refused. */
  async #perform(move: Move): Promise<boolean> {
    return 'hidden' in move ? this.#hide(move) : this.#move(move);
  }

  async #hide({ documentId, title, hidden }: HidingMove): Promise<boolean> {
    const { engine, intake, view } = this.#parts;
    const failure = `${title} could not be ${hidden ? 'hidden' : 'shown again'}`;
    const state = await engine.attempt(failure, { kind: 'hideDocument', documentId, hidden });
    if (state === null) return false;
    intake.acceptState(state);
    view.playhead.followNewest();
    return true;
  }

  async #move(move: SteeringMove): Promise<boolean> {
    const { engine, intake, view, problems } = this.#parts;
    const { action, block, head, name } = move;
    const { lod, start, end } = block;
    this.#store.setState({ busy: true });
    try {
      const before = await this.#expectations();
      const command = { kind: 'act', action, lod, start, end, ...(head !== undefined && { head }) } as const;
      intake.acceptState(await engine.send(name === undefined ? command : { ...command, name }));
      const after = await this.#expectations();
      const shown = resultOf(move);
      this.#store.setState({
        effect: {
          block: shown,
          words: PAST[action],
          nextTokens: { before: before.nextTokens, after: after.nextTokens },
          continuation:
            before.continuation && after.continuation
              ? { before: before.continuation, after: after.continuation }
              : null,
        },
      });
      view.playhead.followNewest();
      view.select(shown);
      return true;
    } catch (error) {
      problems.reportError(`The block could not be ${PAST[action]}`, error);
      return false;
    } finally {
      this.#store.setState({ busy: false });
    }
  }

  /** What the model expects now: the next token, and the chosen continuation if it can be scored. */
  async #expectations() {
    const nextTokens = await this.#parts.engine.send({ kind: 'nextTokens', count: COMPARED_TOKENS });
    return { nextTokens, continuation: await this.scoreContinuation() };
  }
}
