import { expect, it } from 'vitest';
import { sampleAction, sampleRefocus } from '../../core/testing/sample-events.ts';
import { chatTurnId } from '../../core/tree/provenance.ts';
import { answerCitations, settledAt } from './answer-citations.ts';
import { firstFrameAt } from './frame-search.ts';
import { Run } from './run.ts';

const origin = { role: 'document', title: 'Book', wallClockMs: 0 } as const;
const provenance = [
  { ...origin, documentId: 'book', start: 0, end: 96 },
  { ...origin, documentId: chatTurnId(96, 0), start: 96, end: 128 },
];
const layout = (lod: 0 | 1) =>
  ({
    kind: 'keyframe',
    entries: [
      [lod, 0, 32],
      [1, 32, 64],
      [1, 64, 96],
      [0, 96, 128],
    ],
  }) as never;

function answered(): Run {
  const run = new Run();
  run.append([
    sampleRefocus({ step: 1, cursor: 96 }),
    sampleRefocus({ step: 2, cursor: 128, trigger: 'block', layout: layout(1) }),
    sampleRefocus({
      step: 3,
      cursor: 128,
      trigger: 'turn-end',
      layout: layout(0),
      actions: [sampleAction()],
    }),
    sampleRefocus({ step: 4, cursor: 128, trigger: 'turn-end', layout: layout(0) }),
    sampleRefocus({ step: 5, cursor: 160, trigger: 'block', layout: layout(0) }),
  ]);
  return run;
}

it('finds what an answer was read from by where the answer begins', () => {
  const run = answered();
  expect(settledAt(run, 128)).toBe(3);
  expect(answerCitations(run, provenance, 3)).toMatchObject([
    { number: 1, start: 0, end: 32, step: 3, opened: true },
  ]);
});

it('unites what all heads that were read held for it, and leaves out who was not read', () => {
  const run = new Run();
  const opened = (head: number, block: number) =>
    sampleRefocus({
      head,
      step: 3,
      cursor: 128,
      trigger: 'turn-end',
      layout: {
        kind: 'keyframe',
        entries: [0, 1, 2, 3].map((at): [number, number, number] => [
          at === block || at === 3 ? 0 : 1,
          at * 32,
          at * 32 + 32,
        ]),
      },
      actions: [sampleAction({ start: block * 32, end: block * 32 + 32, score: 0.5 + head / 10 })],
    });
  run.append([
    opened(0, 0),
    opened(1, 1),
    opened(2, 2),
    {
      type: 'router',
      step: 3,
      timeMs: 3,
      cursor: 128,
      router: 'utility-gated',
      utilities: [1, 2, 0],
      chosen: [0, 1],
      confidence: 1,
      ms: 0,
    },
  ]);
  for (const shown of [run, run.ofHead(2)!]) {
    expect(answerCitations(shown, provenance, 0)).toMatchObject([
      { number: 1, start: 32, end: 64, heads: [1] },
      { number: 2, start: 0, end: 32, heads: [0] },
    ]);
  }
});

it('finds nothing where no question was asked', () => {
  const run = answered();
  expect([settledAt(run, 96), settledAt(run, 160), settledAt(new Run(), 5)]).toEqual([-1, -1, -1]);
  expect(answerCitations(run, provenance, -1)).toEqual([]);
});

it('finds the refocus that followed a place of the history', () => {
  const run = answered();
  expect([0, 96, 97, 128, 160, 161].map((token) => firstFrameAt(run, token))).toEqual([0, 0, 1, 1, 4, 5]);
});
