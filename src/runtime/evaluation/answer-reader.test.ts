import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/config.ts';
import { ABSOLUTE_POSITIONS } from '../../core/positions.ts';
import { expandEntry } from '../../core/working-context.ts';
import { createFakeModel } from '../testing/fake-model.ts';
import { AnswerReader, prepareContext } from './answer-reader.ts';
import { rememberHistory } from './history-memory.ts';
import { gistsLayout } from './layouts.ts';

it('reads every move of a window from the cached prefix as it would without a cache, and runs fewer slots', async () => {
  const model = createFakeModel();
  const step = () => Promise.resolve();
  const ids = Uint32Array.from({ length: 600 }, (_, i) => (i * 7) % 251);
  const tree = await rememberHistory(model, ids, undefined, step);
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 };
  const layout = gistsLayout(tree, config);
  const gists = layout.entries.flatMap(({ lod }, index) => (lod === 1 ? [index] : [])).reverse();
  const where = { sharedTokens: ids.length, branch: 0, scheme: ABSOLUTE_POSITIONS, offsetTokens: 0 };
  const contexts = [layout, ...gists.map((index) => expandEntry(layout, index, tree))].map((each) =>
    prepareContext(each, tree, Uint32Array.of(5, 6, 7), where),
  );
  const slotsBefore = model.work.slots;
  const shared = new AnswerReader(model.base, step);
  const readings = [];
  for (const context of contexts) readings.push(await shared.read(context));
  const sharedSlots = model.work.slots - slotsBefore;
  for (const [index, context] of contexts.entries()) {
    const alone = new AnswerReader(model.base, step);
    expect(readings[index]).toEqual(await alone.read(context));
    alone.dispose();
  }
  shared.dispose();
  expect(sharedSlots).toBeLessThan(0.95 * (model.work.slots - slotsBefore - sharedSlots));
});
