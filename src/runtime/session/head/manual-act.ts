/** Moves and marks that a user makes by hand. */
import { EngineError } from '../messages/errors.ts';
import type { Head } from './head.ts';
import type { ManualAct } from '../messages/session-messages.ts';
import { checkBlock } from '../memory/block-span.ts';
import type { BlockSpan } from '../../../core/tree/ids.ts';
import { explainRefusal } from './refusals.ts';
import type { SpanMarks } from '../memory/span-marks.ts';

/** What a manual act changed: the layout itself, what pins hold, or only a name or a prohibition. */
export type ManualChange = 'layout' | 'pins' | 'marks';

/**
 * Expand or collapse a block at once, or put a mark on it; a mark moves nothing before the next refocus.
 *
 * @param name - what a tag says.
 * @throws {EngineError} `not-legal`, with the reason, for a move that the working context does not allow.
 */
export function applyManualAct(
  head: Head,
  marks: SpanMarks,
  act: { readonly kind: ManualAct; readonly block: BlockSpan; readonly name?: string | undefined },
): ManualChange {
  const { kind, block } = act;
  checkBlock(head.tree, block);
  if (kind === 'expand' || kind === 'collapse') {
    const { lod, start, end } = block;
    const outcome = head.act({ kind, lod, start, end });
    if (!outcome.applied) throw new EngineError('not-legal', explainRefusal(head, outcome, block));
    return 'layout';
  }
  marks.set(kind, block, head.step, act.name);
  head.pins = marks.pins;
  return kind === 'pin' || kind === 'unpin' ? 'pins' : 'marks';
}
