/** How much a generated token attended to each block of the working context, as traces keep it. Pure. */
import { z } from '../../base/zod.ts';
import { ATTENTION_READINGS, type AttentionReading } from '../parameters/measurement.ts';
import { type BlockSpan, MAX_LOD } from '../tree/ids.ts';

/** Shares are whole numbers of these parts, so that they add up exactly. */
export const ATTENTION_PARTS = 10_000;
/** Blocks below this share, 0.5%, are summed into the rest. */
const FLOOR_PARTS = 50;
/** What one token may cost a trace. */
export const MAX_ATTENDED_BLOCKS = 32;

const count = z.number().int().min(0);

/** `blocks` in the order of the history, `[lod, start, end, parts]`; with `rest` they sum to `ATTENTION_PARTS`. */
export const attentionRecordSchema = z
  .object({
    reading: z.enum(ATTENTION_READINGS),
    blocks: z
      .array(z.tuple([z.number().int().min(0).max(MAX_LOD), count, count, count.min(1)]))
      .max(MAX_ATTENDED_BLOCKS),
    rest: count,
  })
  .superRefine(({ blocks, rest }, context) => {
    const isOrdered = blocks.every(([, start, end], i) => start < end && start >= (blocks[i - 1]?.[2] ?? 0));
    if (!isOrdered) context.addIssue('blocks must be ascending and may not overlap');
    const parts = blocks.reduce((sum, block) => sum + block[3], rest);
    if (parts !== ATTENTION_PARTS) context.addIssue(`shares sum to ${parts}, not to ${ATTENTION_PARTS}`);
  });
export type AttentionRecord = z.infer<typeof attentionRecordSchema>;

/**
 * Sum a token's attention over each entry and keep what is above the floor.
 *
 * @param entries - the working context that the token was predicted from.
 * @param weights - `[sum of costs]`, not negative; borrowed. They need not sum to 1.
 * @returns null if nothing was attended to or a weight is no number.
 * @throws {RangeError} if the weights are not one per slot.
 */
export function attentionRecord(
  entries: readonly (BlockSpan & { readonly cost: number })[],
  weights: ArrayLike<number>,
  reading: AttentionReading,
): AttentionRecord | null {
  const slots = entries.reduce((sum, { cost }) => sum + cost, 0);
  if (weights.length !== slots) throw new RangeError(`${weights.length} weights for ${slots} slots.`);
  let slot = 0;
  const sums = entries.map(({ cost }) => {
    let sum = 0;
    for (const end = slot + cost; slot < end; slot++) sum += weights[slot]!;
    return sum;
  });
  const total = sums.reduce((sum, share) => sum + share, 0);
  if (!(total > 0 && total < Infinity)) return null;
  const blocks = entries
    .map(({ lod, start, end }, i): AttentionRecord['blocks'][number] => {
      // Rounded down, so that blocks and rest never exceed the whole.
      return [lod, start, end, Math.floor((sums[i]! / total) * ATTENTION_PARTS)];
    })
    .filter((block) => block[3] >= FLOOR_PARTS)
    .sort((a, b) => b[3] - a[3])
    .slice(0, MAX_ATTENDED_BLOCKS)
    .sort((a, b) => a[1] - b[1]);
  return { reading, blocks, rest: blocks.reduce((rest, block) => rest - block[3], ATTENTION_PARTS) };
}
