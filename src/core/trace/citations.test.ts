import { describe, expect, it } from 'vitest';
import { sampleAction } from '../testing/sample-events.ts';
import { CHAT_OPENING, chatTurnId } from '../tree/provenance.ts';
import {
  type Citation,
  type SettlingFrame,
  MAX_CITATIONS,
  citationsOf,
  uniteCitations,
} from './citations.ts';
import type { LayoutEntry } from './telemetry.ts';

const BLOCKS = 12;
const book = { documentId: 'book', start: 0, end: 320 };
const turn = { documentId: chatTurnId(320, 1), start: 320, end: 384 };

/** Blocks `raw` at LOD0, the others as LOD1 gists. */
function layoutOf(...raw: readonly number[]): readonly LayoutEntry[] {
  return Array.from({ length: BLOCKS }, (_, block) => [
    raw.includes(block) ? 0 : 1,
    block * 32,
    block * 32 + 32,
  ]);
}

function opening(block: number, score: number, changes: Parameters<typeof sampleAction>[0] = {}) {
  return sampleAction({ start: block * 32, end: block * 32 + 32, score, ...changes });
}

function frame(changes: Partial<SettlingFrame>): SettlingFrame {
  return { step: 7, layout: layoutOf(), scores: [], actions: [], ...changes };
}

const cite = (...frames: readonly SettlingFrame[]) => citationsOf(frames, [book, turn], 0.2);

describe('citations', () => {
  it('are what the question opened, the best first, neighbours as one place', () => {
    const first = frame({ step: 6, layout: layoutOf(2, 3), actions: [opening(2, 0.4), opening(3, 0.6)] });
    const second = frame({ step: 7, layout: layoutOf(2, 3, 8), actions: [opening(8, 0.9)] });
    expect(cite(first, second)).toEqual([
      { number: 1, start: 256, end: 288, score: 0.9, step: 7, opened: true },
      { number: 2, start: 64, end: 128, score: 0.6, step: 6, opened: true },
    ]);
  });

  it('are what stood raw already and is scored above the threshold in force', () => {
    const scores = Array.from({ length: BLOCKS }, (_, block) =>
      block === 4 ? 0.5 : block === 5 ? 0.1 : -0.5,
    );
    const settled = frame({ layout: layoutOf(1, 4, 5), scores });
    expect(cite(settled)).toEqual([{ number: 1, start: 128, end: 160, score: 0.5, step: 7, opened: false }]);
    const lowered = { ...settled, thresholds: { tauExpand: 0.05, tauCollapse: 0.2 } };
    expect(cite(lowered)).toMatchObject([{ start: 128, end: 192 }]);
    expect(cite({ ...settled, thresholds: { tauExpand: 0.7, tauCollapse: 0.2 } })).toEqual([]);
  });

  it('leave out the chat itself, what was refused, what filled a free budget, and what collapsed again', () => {
    const refused = frame({
      layout: layoutOf(1, 2, 10, 11),
      actions: [
        opening(10, 0.9),
        opening(3, 0.9, { applied: false, reason: 'no-budget' }),
        opening(1, -0.4),
        opening(6, 0.8),
      ],
    });
    expect(cite(refused)).toEqual([]);
  });

  it('keep neighbouring blocks of two documents apart, and no more than the best few', () => {
    const other = { documentId: 'other', start: 96, end: 320 };
    const actions = [opening(2, 0.5), opening(3, 0.4)];
    const two = citationsOf([frame({ layout: layoutOf(2, 3), actions })], [{ ...book, end: 96 }, other], 0.2);
    expect(two).toMatchObject([
      { start: 64, end: 96 },
      { start: 96, end: 128 },
    ]);
    const scattered = Array.from({ length: 10 }, (_, block) => block * 2);
    const many = citationsOf(
      [
        frame({
          layout: scattered.map((block) => [0, block * 32, block * 32 + 32]),
          actions: scattered.map((block, i) => opening(block, 0.1 + i / 20)),
        }),
      ],
      [{ ...book, end: 640 }],
      0.2,
    );
    expect(many).toHaveLength(MAX_CITATIONS);
    expect(many[0]).toMatchObject({ number: 1, start: 576 });
  });

  it('leave out what opens the chat', () => {
    const opened = frame({ layout: layoutOf(0, 1), actions: [opening(0, 0.9), opening(1, 0.8)] });
    const origins = [
      { documentId: CHAT_OPENING, start: 0, end: 20 },
      { ...book, start: 20 },
    ];
    expect(citationsOf([opened], origins, 0.2)).toMatchObject([{ start: 32, end: 64 }]);
  });

  it('are none where nothing was refocused', () => {
    expect(cite()).toEqual([]);
  });
});

describe('citations of several heads', () => {
  const place = (block: number, score: number, blocks = 1): Citation => ({
    number: 1,
    start: block * 32,
    end: (block + blocks) * 32,
    score,
    step: block,
    opened: score > 0.5,
  });

  it('are the places of each, those that overlap as one of both', () => {
    const united = uniteCitations(
      new Map([
        [0, [place(4, 0.4)]],
        [2, [place(3, 0.6, 2), place(9, 0.3)]],
        [3, [place(5, 0.2)]],
      ]),
    );
    expect(united).toEqual([
      { number: 1, start: 96, end: 160, score: 0.6, step: 3, opened: true, heads: [2, 0] },
      { number: 2, start: 288, end: 320, score: 0.3, step: 9, opened: false, heads: [2] },
      { number: 3, start: 160, end: 192, score: 0.2, step: 5, opened: false, heads: [3] },
    ]);
  });

  it('are no more than of one, and leave no head without its best', () => {
    const many = Array.from({ length: MAX_CITATIONS + 2 }, (_, i) => place(2 * i, 0.9 - i / 100));
    const united = uniteCitations(
      new Map([
        [0, many],
        [1, [place(31, 0.1), place(33, 0.05)]],
      ]),
    );
    expect(united).toHaveLength(MAX_CITATIONS);
    expect(united.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(united.at(-1)).toMatchObject({ start: 31 * 32, heads: [1] });
  });

  it('of one head are its own', () => {
    expect(uniteCitations(new Map([[0, [place(4, 0.4)]]]))).toEqual([{ ...place(4, 0.4), heads: [0] }]);
    expect(uniteCitations(new Map())).toEqual([]);
  });
});
