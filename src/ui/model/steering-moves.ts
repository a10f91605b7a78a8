/** How an act by hand is taken back, and which block stands for what it did. Pure. */
import { K, tokensPerEntry } from '../../core/tree/ids.ts';
import type { ManualAct } from '../../runtime/engine/protocol/protocol.ts';
import type { BlockRef } from './viewport.ts';

export const STAGING_IS_NOT_MOVED =
  'Nothing in the staging context is expanded or collapsed by hand: show a head to move its blocks.';

/** One act on one block of one session. */
export interface SteeringMove {
  readonly sessionId: string;
  readonly action: ManualAct;
  readonly block: BlockRef;
  /** Whose working context it moves; absent: the first one's. */
  readonly head?: number;
  /** What a tag says. */
  readonly name?: string;
  /** The tag that stood there before, if any. */
  readonly formerName?: string;
}

/** A document of one session hidden from focus, or shown again. */
export interface HidingMove {
  readonly sessionId: string;
  readonly documentId: string;
  readonly title: string;
  readonly hidden: boolean;
}

export type Move = SteeringMove | HidingMove;

/** The act that takes another back. The inverse of an inverse is the act itself. */
export function inverseOf(move: Move): Move {
  if ('hidden' in move) return { ...move, hidden: !move.hidden };
  const { sessionId, action, block, head, name, formerName } = move;
  const own = head === undefined ? {} : { head };
  switch (action) {
    case 'expand':
      return { sessionId, action: 'collapse', block: firstChild(block), ...own };
    case 'collapse':
      return { sessionId, action: 'expand', block: parentBlock(block), ...own };
    case 'pin':
      return { sessionId, action: 'unpin', block };
    case 'unpin':
      return { sessionId, action: 'pin', block };
    case 'forbid':
      return { sessionId, action: 'allow', block };
    case 'allow':
      return { sessionId, action: 'forbid', block };
    case 'tag':
    case 'untag': {
      const names = {
        ...(formerName === undefined ? {} : { name: formerName }),
        ...(name === undefined ? {} : { formerName: name }),
      };
      return { sessionId, action: formerName === undefined ? 'untag' : 'tag', block, ...names };
    }
  }
}

/** The block that stands in the working context after an act: what a selection should follow to. */
export function resultOf({ action, block }: SteeringMove): BlockRef {
  if (action === 'collapse') return parentBlock(block);
  return action === 'expand' && block.lod === 1 ? { ...block, lod: 0 } : block;
}

function firstChild({ lod, start }: BlockRef): BlockRef {
  return { lod: lod - 1, start, end: start + tokensPerEntry(lod - 1) };
}

/** A raw block's parent covers the same tokens; above, K siblings make one. */
function parentBlock({ lod, start, end }: BlockRef): BlockRef {
  if (lod === 0) return { lod: 1, start, end };
  const span = tokensPerEntry(lod) * K;
  const first = Math.floor(start / span) * span;
  return { lod: lod + 1, start: first, end: first + span };
}
