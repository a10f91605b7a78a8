/** Acting on blocks by hand, taking it back and doing it again; every act measures what it did to the next tokens. */
import type { ContinuationScore, ManualAct } from '../../runtime/engine/protocol/protocol.ts';
import { select } from '../commands/view-actions.ts';
import { followLive } from './playback-store.ts';
import { reportError } from './problem-store.ts';
import { useRecording } from '../features/share/recording-store.ts';
import { useSession } from './session-store.ts';
import { type SteeringMove, useSteering } from './steering-store.ts';
import type { BlockRef } from './view-store.ts';
import { acceptState, send } from './engine-session.ts';
import { inverseOf, resultOf } from './steering-moves.ts';

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

let lastInLine: Promise<void> = Promise.resolve();

/** One act after the other: a key pressed while an act is being measured waits for it. */
function inLine(work: () => Promise<void>): Promise<void> {
  lastInLine = lastInLine.then(work, work);
  return lastInLine;
}

/** Act on a block of the open session; it can be undone. A refusal becomes a problem and changes nothing. */
export function actOnBlock(action: ManualAct, block: BlockRef, name?: string): Promise<void> {
  return inLine(() => act(action, block, name));
}

async function act(action: ManualAct, block: BlockRef, name?: string): Promise<void> {
  const { session } = useSession.getState();
  if (!session) return;
  const { lod, start } = block;
  const former = session.marks.find(
    (mark) => mark.kind === 'tag' && mark.lod === lod && mark.start === start,
  );
  const isNaming = action === 'tag' || action === 'untag';
  const move: SteeringMove = {
    sessionId: session.record.id,
    action,
    block,
    ...(name === undefined ? {} : { name }),
    ...(isNaming && former?.name !== undefined ? { formerName: former.name } : {}),
  };
  if (!(await perform(move))) return;
  useSteering.setState(({ done }) => ({
    done: [...done.filter(({ sessionId }) => sessionId === move.sessionId), move].slice(-KEPT_MOVES),
    undone: [],
  }));
}

/** Take the last act back. What can no longer be taken back is dropped, with a problem that says why. */
export function undo(): Promise<void> {
  return inLine(takeBack);
}

async function takeBack(): Promise<void> {
  const move = lastOf(useSteering.getState().done);
  if (!move) return;
  useSteering.setState(({ done }) => ({ done: done.slice(0, -1) }));
  if (await perform(inverseOf(move))) {
    useSteering.setState(({ undone }) => ({ undone: [...undone, move] }));
  }
}

/** Do again what was taken back last. */
export function redo(): Promise<void> {
  return inLine(doAgain);
}

async function doAgain(): Promise<void> {
  const move = lastOf(useSteering.getState().undone);
  if (!move) return;
  useSteering.setState(({ undone }) => ({ undone: undone.slice(0, -1) }));
  if (await perform(move)) useSteering.setState(({ done }) => ({ done: [...done, move] }));
}

/** The newest move, if it belongs to the open session and that is what the page shows. */
function lastOf(moves: readonly SteeringMove[]): SteeringMove | null {
  const move = moves.at(-1);
  const isOpen = move?.sessionId === useSession.getState().session?.record.id;
  const isHidden = useRecording.getState().recording !== null;
  return move && isOpen && !isHidden ? move : null;
}

/** @returns false if the engine refused. */
async function perform(move: SteeringMove): Promise<boolean> {
  const { action, block, name } = move;
  const { lod, start, end } = block;
  useSteering.setState({ busy: true });
  try {
    const before = await expectations();
    const command = { kind: 'act', action, lod, start, end } as const;
    acceptState(await send(name === undefined ? command : { ...command, name }));
    const after = await expectations();
    const shown = resultOf(move);
    useSteering.setState({
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
    followLive();
    select(shown);
    return true;
  } catch (error) {
    reportError(`The block could not be ${PAST[action]}`, error);
    return false;
  } finally {
    useSteering.setState({ busy: false });
  }
}

/** What the model expects now: the next token, and the chosen continuation if it can be scored. */
async function expectations() {
  const nextTokens = await send({ kind: 'nextTokens', count: COMPARED_TOKENS });
  return { nextTokens, continuation: await scoreContinuation() };
}

/** The chosen continuation's likelihood now; null where there is none. Why it cannot be scored becomes a problem. */
export async function scoreContinuation(): Promise<ContinuationScore | null> {
  const { continuation } = useSteering.getState();
  if (continuation === '') return null;
  try {
    return await send({ kind: 'scoreContinuation', text: continuation });
  } catch (error) {
    reportError('The continuation was not scored', error);
    return null;
  }
}
