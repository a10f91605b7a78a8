/** Flipped bits, missing segments and gaps: what is whole is kept, what is not is named, nothing is deleted. */
import { beforeEach, expect, test } from 'vitest';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import type { SessionId, SessionStore } from '../../src/storage/ports.ts';
import {
  countRows,
  createStorageFixture,
  decodeEvent,
  FIELDS,
  fill,
  flipBit,
  gists,
  HIDDEN_SIZE,
  tamper,
  tokenIds,
} from './storage-fixture.ts';
import type { StorageFixture } from './storage-fixture.ts';

let fixture: StorageFixture;
let store: SessionStore;
let id: SessionId;

beforeEach(async () => {
  fixture = createStorageFixture();
  store = await fixture.open();
  const handle = await store.create(FIELDS);
  id = handle.id;
  await fill(handle);
  await handle.close();
});

test('fault 09: a flipped bit is reported by its segment, and gists are rebuilt from there on', async () => {
  await tamper(fixture.factory, 'gists', (rows, keys) => {
    flipBit(rows, keys.filter(([, level]) => level === 1)[1]!);
  });
  const handle = await store.open(id);
  const stored = await handle.load();
  expect(stored.damage).toEqual(['Level 1 gists 2048 to 4095 are damaged; they are rebuilt from there on.']);
  expect(stored.tokens).toEqual(tokenIds(0, 40_000));
  expect(stored.gists.map(({ level, values }) => [level, values.length / HIDDEN_SIZE])).toEqual([
    [1, 2048],
    [2, 39],
  ]);
  await handle.append({ gists: [gists(1, 2048, 300)] });
  await handle.append({ gists: [gists(1, 2348, 3652)] });
  const rebuilt = await handle.load();
  expect(rebuilt.damage).toEqual([]);
  const whole = Buffer.from(gists(1, 0, 6000).values.buffer);
  expect(whole.equals(Buffer.from(rebuilt.gists[0]!.values.buffer))).toBe(true);
});

test('fault 10: a missing segment is named, and rebuilt from there on', async () => {
  await tamper(fixture.factory, 'gists', (rows, keys) => {
    rows.delete([...keys.filter(([, level]) => level === 1)[0]!]);
  });
  const stored = await (await store.open(id)).load();
  expect(stored.damage).toEqual(['Level 1 gists 0 to 2047 are missing; they are rebuilt from there on.']);
  expect(stored.gists.map(({ level }) => level)).toEqual([2]);
});

test.each(['missing', 'damaged'])(
  'a %s token row: the prefix is kept and the rest set aside, not deleted',
  async (kind) => {
    await tamper(fixture.factory, 'tokens', (rows, keys) => {
      if (kind === 'missing') rows.delete([...keys[1]!]);
      else flipBit(rows, keys[1]!);
    });
    const rowsBefore = await countRows(fixture.factory, 'tokens');
    const handle = await store.open(id);
    const stored = await handle.load();
    const kept = stored.tokens.length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(40_000);
    expect(stored.tokens).toEqual(tokenIds(0, kept));
    expect(stored.record.tokenCount).toBe(kept);
    expect(stored.damage).toEqual([`Tokens from ${kept} on are ${kind}: ${kept} of 40000 are kept.`]);
    expect(stored.gists.map(({ values }) => values.length / HIDDEN_SIZE)).toEqual([
      Math.floor(kept / 32),
      Math.floor(kept / 1024),
    ]);
    expect(await countRows(fixture.factory, 'tokens')).toBe(rowsBefore);

    await handle.append({ tokens: { start: kept, ids: tokenIds(kept, 64) } });
    const repaired = await handle.load();
    expect(repaired.damage).toEqual([]);
    expect(repaired.tokens).toEqual(tokenIds(0, kept + 64));
    expect(repaired.gists[0]!.values.length / HIDDEN_SIZE).toBe(Math.floor(kept / 32));
    expect(repaired.provenance.map(({ start, end }) => [start, end])).toEqual([[0, kept]]);
    expect(await quarantined(fixture.factory)).toEqual(expect.arrayContaining(['tokens', 'provenance']));
  },
);

test('a writer that did not read the damage cannot write over it', async () => {
  await tamper(fixture.factory, 'tokens', (rows, keys) => {
    flipBit(rows, keys[1]!);
  });
  const handle = await store.open(id);
  await expect(handle.append({ tokens: { start: 10_000, ids: tokenIds(0, 1) } })).rejects.toMatchObject({
    code: 'failed',
  });
});

test('a damaged short row is not merged into a sound one with a fresh checksum', async () => {
  const handle = await store.create(FIELDS);
  await handle.append({ tokens: { start: 0, ids: tokenIds(0, 32) } });
  await tamper(fixture.factory, 'tokens', (rows, keys) => {
    flipBit(
      rows,
      keys.find(([session]) => session === handle.id)!,
    );
  });
  await handle.append({ tokens: { start: 32, ids: tokenIds(32, 32) } });
  const stored = await handle.load();
  expect(stored.tokens).toEqual(new Uint32Array(0));
  expect(stored.damage).toEqual(['Tokens from 0 on are damaged: 0 of 64 are kept.']);
});

test('damaged events are left out, with the layout deltas that build on them', async () => {
  const handle = await store.create(FIELDS);
  const refocus = (step: number, kind: 'keyframe' | 'delta'): TelemetryEvent => ({
    type: 'refocus',
    head: 0,
    step,
    timeMs: step,
    cursor: 0,
    policy: 'lensnet',
    windowStart: 0,
    usedTokens: 0,
    budgetTokens: 64,
    entryCount: 0,
    layout: kind === 'keyframe' ? { kind, entries: [] } : { kind, splices: [] },
    scores: [],
    actions: [],
    swapRate: 0,
    utilisation: 0,
    meanResidency: 0,
    coherence: null,
    trigger: 'block',
  });
  const long = (step: number): TelemetryEvent =>
    ({ ...decodeEvent(step), text: 'x'.repeat(40_000) }) as TelemetryEvent;
  await handle.append({ events: [refocus(0, 'keyframe'), long(0)] });
  await handle.append({ events: [refocus(1, 'keyframe'), long(1)] });
  await handle.append({ events: [refocus(2, 'delta'), long(2)] });
  await handle.append({ events: [refocus(3, 'keyframe'), refocus(4, 'delta'), long(3)] });
  await tamper(fixture.factory, 'events', (rows, keys) => {
    flipBit(rows, keys.filter(([session]) => session === handle.id)[1]!);
  });
  const stored = await handle.load();
  expect(stored.events.map(({ type, step }) => `${type} ${step}`)).toEqual([
    'refocus 0',
    'decode 0',
    'decode 2',
    'refocus 3',
    'refocus 4',
    'decode 3',
  ]);
  expect(stored.damage).toEqual([
    'Events 2 to 3 are damaged; they are left out, with layouts that build on them.',
  ]);
  await handle.append({ events: [decodeEvent(9)] });
  expect((await handle.load()).events.at(-1)).toEqual(decodeEvent(9));
});

test('damaged waiting text is cut and named', async () => {
  const handle = await store.create(FIELDS);
  const pending = {
    documentId: 'd',
    title: 'Doc',
    role: 'document',
    ids: tokenIds(0, 40_000),
    ingested: 0,
  } as const;
  await handle.append({ pending: [pending] });
  await tamper(fixture.factory, 'pendingText', (rows, keys) => {
    flipBit(rows, keys[1]!);
  });
  const stored = await handle.load();
  expect(stored.pending[0]?.ids).toEqual(tokenIds(0, 15_360));
  expect(stored.damage).toEqual(['The waiting text "Doc" is damaged: 15360 of 40000 tokens are kept.']);
});

test('rows stay below 64 KiB and segments at 1 MiB, and are few', async () => {
  const handle = await store.create(FIELDS);
  for (let start = 0; start < 32 * 600; start += 32) {
    await handle.append({
      tokens: { start, ids: tokenIds(start, 32) },
      gists: [gists(1, start / 32, 1)],
      events: [decodeEvent(start)],
    });
  }
  const longer = tokenIds(0, 80_000);
  await handle.append({ tokens: { start: 19_200, ids: longer.subarray(19_200) } });
  const lengths: Record<string, number[]> = {};
  for (const name of ['tokens', 'gists', 'events'] as const) {
    await tamper(fixture.factory, name, (rows) => {
      const all = rows.getAll(IDBKeyRange.bound([handle.id], [handle.id, []]));
      all.onsuccess = () => {
        lengths[name] = (all.result as { bytes: Uint8Array }[]).map(({ bytes }) => bytes.buffer.byteLength);
      };
    });
  }
  expect(Math.max(...lengths['tokens']!, ...lengths['events']!)).toBeLessThanOrEqual(60 * 1024);
  expect(Math.max(...lengths['gists']!)).toBeLessThanOrEqual(1024 * 1024);
  for (const rows of Object.values(lengths)) expect(rows.length).toBeLessThan(20);
});

/** Which stores the rows set aside came from. */
async function quarantined(factory: StorageFixture['factory']): Promise<string[]> {
  const stores: string[] = [];
  await tamper(factory, 'quarantine', (_, keys) => {
    for (const key of keys) stores.push(String(key[2]));
  });
  return stores;
}
