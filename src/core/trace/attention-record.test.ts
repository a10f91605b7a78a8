/** What a trace keeps of a token's attention: exact sums, bounded, nothing that a reader would refuse. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ATTENTION_PARTS,
  attentionRecord,
  attentionRecordSchema,
  MAX_ATTENDED_BLOCKS,
} from './attention-record.ts';
import { ATTENTION_READINGS } from '../parameters/measurement.ts';
import type { Entry } from '../context/working-context.ts';
import { tokensPerEntry } from '../tree/ids.ts';
import { entryAt } from '../context/working-context.ts';

/** Entries at any levels, one after the other, and a weight per slot. */
const scene = fc
  .array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 80 })
  .map((lods) => {
    let start = 0;
    return lods.map((lod): Entry => {
      start = Math.ceil(start / tokensPerEntry(lod)) * tokensPerEntry(lod);
      const entry = entryAt(lod as Entry['lod'], start);
      start = entry.end;
      return entry;
    });
  })
  .chain((entries) => {
    const slots = entries.reduce((sum, { cost }) => sum + cost, 0);
    const weight = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }));
    return fc.tuple(fc.constant(entries), fc.array(weight, { minLength: slots, maxLength: slots }));
  });

test('shares sum to the whole, are bounded, and are what the weights say to within the floor', () => {
  fc.assert(
    fc.property(scene, fc.constantFrom(...ATTENTION_READINGS), ([entries, weights], reading) => {
      const record = attentionRecord(entries, weights, reading);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (record === null) return total === 0;
      expect(attentionRecordSchema.parse(record)).toEqual(record);
      expect(record.blocks.length).toBeLessThanOrEqual(MAX_ATTENDED_BLOCKS);
      let slot = 0;
      for (const { lod, start, end, cost } of entries) {
        const sum = weights.slice(slot, (slot += cost)).reduce((all, weight) => all + weight, 0);
        const kept = record.blocks.find((block) => block[1] === start);
        if (kept === undefined) continue;
        expect(kept.slice(0, 3)).toEqual([lod, start, end]);
        expect(Math.abs(kept[3] - (sum / total) * ATTENTION_PARTS)).toBeLessThanOrEqual(1 + 1e-6);
      }
      return true;
    }),
  );
});

test('what is small goes into the rest; what is no number gives no record', () => {
  const entries = [entryAt(2, 0), entryAt(1, 1024), entryAt(1, 1056)];
  expect(attentionRecord(entries, [0.7, 0.004, 0.296], 'mean')).toEqual({
    reading: 'mean',
    blocks: [
      [2, 0, 1024, 7000],
      [1, 1056, 1088, 2960],
    ],
    rest: 40,
  });
  expect(attentionRecord(entries, [0, 0, 0], 'mean')).toBeNull();
  expect(attentionRecord(entries, [0.5, NaN, 0.5], 'mean')).toBeNull();
  expect(() => attentionRecord(entries, [1, 0], 'mean')).toThrow(RangeError);
});

test('a record that a stranger wrote is refused unless its blocks are in order and its shares sum up', () => {
  const good = { reading: 'mean', blocks: [[1, 0, 32, 4000]], rest: 6000 };
  expect(attentionRecordSchema.safeParse(good).success).toBe(true);
  const bad = [
    { ...good, rest: 5999 },
    { ...good, rest: -1, blocks: [[1, 0, 32, 10_001]] },
    { ...good, blocks: [[1, 32, 32, 4000]] },
    {
      ...good,
      blocks: [
        [1, 32, 64, 2000],
        [1, 0, 32, 2000],
      ],
    },
    { ...good, blocks: Array.from({ length: 40 }, (_, i) => [1, i * 32, i * 32 + 32, 100]) },
    { ...good, reading: 'every' },
  ];
  for (const record of bad) expect(attentionRecordSchema.safeParse(record).success).toBe(false);
});
