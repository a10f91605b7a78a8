import { describe, expect, it } from 'vitest';
import { createFakeModel } from '../../testing/fake-model.ts';
import { type GistCache, rememberHistory } from './history-memory.ts';

const ids = Uint32Array.from({ length: 2100 }, (_, i) => (i * 7) % 256);
const step = (): Promise<void> => Promise.resolve();

function mapCache(): GistCache & { readonly kept: Map<string, Uint16Array> } {
  const kept = new Map<string, Uint16Array>();
  return {
    kept,
    load: (key) => Promise.resolve(kept.get(key) ?? null),
    save: (key, bits) => Promise.resolve(void kept.set(key, bits)),
  };
}

describe('rememberHistory', () => {
  it('makes the gists once, and takes them from the cache after that', async () => {
    const cache = mapCache();
    const made = await rememberHistory(createFakeModel(), ids, cache, step);
    expect([made.pendingGistCount, made.countAt(1), made.countAt(2)]).toEqual([0, 65, 2]);
    const model = createFakeModel();
    const gistNet = { ...model.gistNet, compress: () => Promise.reject(new Error('not asked')) };
    const kept = await rememberHistory({ ...model, gistNet }, ids, cache, step);
    for (const level of [1, 2] as const) {
      expect(kept.gistBits(level, 0, kept.countAt(level))).toEqual(
        made.gistBits(level, 0, made.countAt(level)),
      );
    }
  });

  it('makes them anew for other tokens, and where the cache holds the wrong number', async () => {
    const cache = mapCache();
    await rememberHistory(createFakeModel(), ids, cache, step);
    await rememberHistory(
      createFakeModel(),
      ids.map((id) => 255 - id),
      cache,
      step,
    );
    expect(cache.kept.size).toBe(2);
    for (const key of cache.kept.keys()) cache.kept.set(key, new Uint16Array(8));
    const tree = await rememberHistory(createFakeModel(), ids, cache, step);
    expect(tree.pendingGistCount).toBe(0);
    expect([...cache.kept.values()].map(({ length }) => length).sort((a, b) => b - a)[0]).toBe(67 * 4);
  });
});
