/** Stores a very long session in this browser, and measures what the engine takes to open and go on with it. */
import type { ModelManifest } from '../../src/nn/model-folder/manifest.ts';
import { createTokenizer } from '../../src/nn/model-folder/tokenizer.ts';
import { type EngineClient, createEngineClient } from '../../src/runtime/engine/client.ts';
import { openSessionStore } from '../../src/storage/indexeddb/open-store.ts';
import { writeLongSession } from '../../tools/bench/long-session.ts';

const FOLDER = '/models/tiny';

async function boot(engine: EngineClient) {
  const place = { kind: 'shipped', id: 'tiny', baseUrl: '/models/' } as const;
  return engine.call({ kind: 'boot', place, backend: 'wasm' });
}

async function readJson(name: string): Promise<unknown> {
  return (await fetch(`${FOLDER}/${name}`)).json();
}

/**
 * @param words - token ids of a text; the history is made of pieces of it.
 * @param areGistsOlder - as if another GistNet had made them.
 */
export async function storeLongSession(
  words: readonly number[],
  tokens: number,
  areGistsOlder = false,
): Promise<{ readonly id: string; readonly step: number; readonly seconds: number }> {
  const engine = createEngineClient();
  const { model } = await boot(engine);
  engine.dispose();
  const from = performance.now();
  const manifest = (await readJson('manifest.json')) as ModelManifest;
  const tokenizer = createTokenizer(
    await readJson('tokenizer.json'),
    await readJson('tokenizer_config.json'),
    'tokenizer.json',
  );
  const { id, hiddenSize } = model;
  const hash = areGistsOlder ? 'of other weights' : model.hash;
  const of = { id, hash, hiddenSize, manifest, tokenizer, gistVersion: manifest.gistNet!.version };
  const store = await openSessionStore();
  const written = await writeLongSession(store, of, Uint32Array.from(words), tokens);
  store.close();
  return { ...written, seconds: (performance.now() - from) / 1000 };
}

/** Open a stored session in an engine that has its model loaded, refocus, and read a sentence more. */
export async function measureLongSession(sessionId: string) {
  const engine = createEngineClient();
  try {
    await boot(engine);
    const times = [performance.now()];
    const { state } = await engine.call({ kind: 'openSession', sessionId });
    times.push(performance.now());
    await engine.call({ kind: 'step' });
    times.push(performance.now());
    const text = 'The keeper wrote the tide into the log again.';
    await engine.call({ kind: 'ingestText', text, title: 'More', role: 'document' });
    await engine.call({ kind: 'step' });
    times.push(performance.now());
    await engine.call({ kind: 'searchText', query: 'lantern', limit: 20 });
    times.push(performance.now());
    const [openMs, refocusMs, appendMs, searchMs] = [1, 2, 3, 4].map((i) => times[i]! - times[i - 1]!);
    return { openMs, refocusMs, appendMs, searchMs, step: state.step };
  } finally {
    engine.dispose();
  }
}
