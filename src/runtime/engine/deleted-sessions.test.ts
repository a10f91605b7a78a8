import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import { removeLongDeleted } from './deleted-sessions.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;
const FIELDS = { createdAt: 0, modelId: 'm', modelHash: 'h', config: DEFAULT_RUN_CONFIG };

it('removes what was deleted a week ago, and nothing that is kept, was deleted lately or is in use', async () => {
  const store = createMemoryStore();
  const made = async (title: string, deletedAt: number | null) => {
    const handle = await store.create({ ...FIELDS, title });
    await handle.append({ patch: { deletedAt } });
    return handle;
  };
  for (const [title, deletedAt] of [
    ['kept', null],
    ['lately', NOW - 6 * DAY_MS],
    ['long ago', NOW - 7 * DAY_MS],
  ] as const) {
    await (await made(title, deletedAt)).close();
  }
  const inUse = await made('in use', NOW - 30 * DAY_MS);
  await removeLongDeleted(store, NOW);
  const titles = async () => (await store.list()).map(({ title }) => title).sort();
  expect(await titles()).toEqual(['in use', 'kept', 'lately']);
  await inUse.close();
  await removeLongDeleted(store, NOW);
  expect(await titles()).toEqual(['kept', 'lately']);
});
