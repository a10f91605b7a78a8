/** How often focus is renewed while an answer is decoded. */
import { expect, it } from 'vitest';
import type { RunConfig } from '../../../core/trace/config.ts';
import { bootEngine, frames, ingest, open, prose } from '../../testing/engine-fixture.ts';
import { createFakeModel, type FakeModel } from '../../testing/fake-model.ts';

/** A block is worth 20 tokens, and a look at the window three: three fifths of decoding pay for both every 64 tokens. */
function modelThatCounts(): FakeModel {
  const model = createFakeModel();
  const work = { layerWeights: 1_000_000, headWeights: 0, bytesPerWeight: 4 };
  const lensWork = { slotMultiplications: 10_000, scoredMultiplications: 0, tailMultiplications: 0 };
  return { ...model, base: { ...model.base, work }, lensNet: { ...model.lensNet, work: lensWork } };
}

async function answered(config: Partial<RunConfig>, changes?: Partial<RunConfig>) {
  const model = modelThatCounts();
  const fixture = await bootEngine({ model });
  await open(fixture, { maxNewTokens: 200, temperature: 1, stopTexts: '\u0001never', ...config });
  await ingest(fixture, prose(2000));
  const before = frames(fixture).length;
  let runs = 0;
  model.work.onAppend = () => {
    if (runs++ === 100 && changes !== undefined) void fixture.engine.handle({ kind: 'setConfig', changes });
    return Promise.resolve();
  };
  const { answer } = await fixture.engine.handle({ kind: 'ask', text: 'Where?' });
  const within = frames(fixture)
    .slice(before)
    .filter(({ trigger }) => trigger === 'block')
    .filter(({ cursor }) => cursor > answer.start);
  const blocks = Math.floor(answer.end / 32) - Math.floor(answer.start / 32);
  return { within, cursors: within.map(({ cursor }) => cursor), blocks };
}

it('is at every block in an exact cache, and where no share is set', async () => {
  for (const config of [{ answerFocusShare: 60 }, { kvMode: 'patch', answerFocusShare: 0 }] as const) {
    const { cursors, blocks } = await answered(config);
    expect(blocks).toBeGreaterThan(4);
    expect(cursors).toHaveLength(blocks);
  }
});

it('is as often as the share of decoding pays for in a patched cache, with as many moves', async () => {
  const { within, cursors, blocks } = await answered({
    kvMode: 'patch',
    answerFocusShare: 60,
    maxActions: 8,
  });
  expect(cursors.every((cursor) => cursor % 64 === 0)).toBe(true);
  expect(cursors.length).toBeGreaterThanOrEqual(Math.floor(blocks / 2));
  for (const { actions } of within)
    expect(
      actions.filter(({ applied, reason }) => applied && reason === 'score-above-tau').length,
    ).toBeLessThan(2);
  expect((await answered({ kvMode: 'patch', answerFocusShare: 1 })).cursors).toEqual([]);
});

it('follows a changed parameter at the next block', async () => {
  const { cursors } = await answered({ kvMode: 'patch', answerFocusShare: 1 }, { tauExpand: 0.3 });
  expect(cursors).toHaveLength(1);
});
