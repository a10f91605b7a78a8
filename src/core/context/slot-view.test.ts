import { describe, expect, it } from 'vitest';
import { DOCUMENT, HIDDEN_SIZE, embed, gistBits, makeGists, tokenIds } from '../testing/fake-history.ts';
import { decodeHalf } from '../../base/fp16.ts';
import { SLOT_FEATURES, SlotBuffers, buildSlotView } from './slot-view.ts';
import { ScoreError, entryScores, sanitiseScores, siblingGroupScore } from '../policies/scores.ts';
import { GistTree } from '../tree/gist-tree.ts';
import { entryAt, layoutOf } from './working-context.ts';

const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
tree.appendTokens(tokenIds(0, 1056), DOCUMENT);
tree.appendTokens(tokenIds(1056, 50), { ...DOCUMENT, role: 'user' });
makeGists(tree);
const layout = layoutOf(
  [entryAt(2, 0), entryAt(1, 1024), entryAt(0, 1056), entryAt(0, 1088, 1106)],
  Uint32Array.of(7, 0, 1, 0),
);
const view = buildSlotView({ layout, tree, embed, tailTokens: 20, step: 3 });
const row = (values: Float32Array, slot: number): number[] => [
  ...values.slice(slot * HIDDEN_SIZE, (slot + 1) * HIDDEN_SIZE),
];
const features = (slot: number): number[] => [
  ...view.features.slice(slot * SLOT_FEATURES, (slot + 1) * SLOT_FEATURES),
];

describe('slot view', () => {
  it('has one slot a gist and one a raw token', () => {
    expect(view.slotCount).toBe(1 + 1 + 32 + 18);
    expect([...view.entryOfSlot]).toEqual([0, 1, ...Array<number>(32).fill(2), ...Array<number>(18).fill(3)]);
    expect(view.step).toBe(3);
  });

  it('puts raw tokens at their index and gists at their span’s centre', () => {
    expect([...view.positions.slice(0, 4)]).toEqual([512, 1040, 1056, 1057]);
    expect(view.positions.at(-1)).toBe(1105);
  });

  it('gathers embeddings and gists', () => {
    expect(row(view.embeddings, 0)).toEqual([...gistBits(2, 0, 1)].map(decodeHalf));
    expect(row(view.embeddings, 1)).toEqual([...gistBits(1, 32, 1)].map(decodeHalf));
    expect(row(view.embeddings, 5)).toEqual([...embed(tree.tokens(1059, 1060))]);
  });

  it('asks for the scores of all slots, or of gists and so many tokens of each raw block', () => {
    expect(view.scoredSlots).toBeUndefined();
    const asked = (scoredTokens: number) =>
      buildSlotView({ layout, tree, embed, tailTokens: 20, scoredTokens }).scoredSlots;
    expect(asked(32)).toBeUndefined();
    expect([...asked(4)!]).toEqual([0, 1, 2, 10, 18, 26, 34, 42, 50]);
    expect([...asked(1)!]).toEqual([0, 1, 2, 34]);
  });

  it('gathers gists across a gap', () => {
    const gapped = layoutOf([entryAt(1, 0), entryAt(1, 64), entryAt(1, 96)]);
    const apart = buildSlotView({ layout: gapped, tree, embed, tailTokens: 4 });
    expect(row(apart.embeddings, 1)).toEqual([...gistBits(1, 2, 1)].map(decodeHalf));
    expect(row(apart.embeddings, 2)).toEqual([...gistBits(1, 3, 1)].map(decodeHalf));
  });

  it('gives raw slots their block’s gist, and the open tail its mean', () => {
    expect(row(view.blockVectors, 0)).toEqual(row(view.embeddings, 0));
    for (const slot of [2, 33])
      expect(row(view.blockVectors, slot)).toEqual([...gistBits(1, 33, 1)].map(decodeHalf));
    const tail = embed(tree.tokens(1088, 1106));
    const mean = Array.from(
      { length: HIDDEN_SIZE },
      (_, j) => tail.filter((_, i) => i % HIDDEN_SIZE === j).reduce((a, b) => a + b) / 18,
    );
    row(view.blockVectors, 51).forEach((value, j) => {
      expect(value).toBeCloseTo(mean[j]!, 6);
    });
  });

  it('writes the features of docs/models.md', () => {
    const [lod2, raw, tail] = [features(0), features(2), features(40)];
    const expected = [0, 0, 1, 0, 0, 10 / 20, Math.log2(1 + 1106 - 1024) / 20, Math.log(8) / 5, 0, 0, 0, 1];
    lod2.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 6);
    });
    expect(features(33)).toEqual(raw);
    expect(raw.slice(8)).toEqual([0, 1, 0, 0]);
    expect(tail[5]).toBeCloseTo(Math.log2(18) / 20, 6);
    expect(tail[6]).toBe(0);
  });

  it('holds the newest tokens as the tail, oldest first', () => {
    expect(view.tailCount).toBe(20);
    expect([...view.tail]).toEqual([...embed(tree.tokens(1086, 1106))]);
    expect(buildSlotView({ layout, tree, embed, tailTokens: 5000 }).tailCount).toBe(1106);
  });

  it('is the same when it reuses buffers', () => {
    const buffers = new SlotBuffers();
    buffers.reserve(500, HIDDEN_SIZE);
    buffers.features.fill(9);
    const reused = buildSlotView({ layout, tree, embed, tailTokens: 20, step: 3 }, buffers);
    expect(reused).toEqual(view);
    expect(reused.embeddings.buffer).toBe(buffers.embeddings.buffer);
  });
});

describe('entry scores', () => {
  it('are the mean over an entry’s slots', () => {
    const scores = Float32Array.from({ length: 52 }, (_, slot) =>
      slot < 2 ? slot : slot < 18 ? 0.5 : slot < 34 ? -1 : 0.25,
    );
    expect([...entryScores(view, scores)]).toEqual([0, 1, -0.25, 0.25]);
    expect(() => entryScores(view, scores.subarray(1))).toThrow(ScoreError);
  });

  it('are limited to [-1, 1], and what is not finite is counted', () => {
    const { scores, notFinite } = sanitiseScores(Float32Array.of(2, -3, NaN, 0.5));
    expect([...scores]).toEqual([1, -1, 0, 0.5]);
    expect(notFinite).toBe(1);
  });

  it('of siblings are the mean over K', () => {
    expect(siblingGroupScore(new Float32Array(40).fill(0.5, 4), 4)).toBe(0.5);
  });
});
