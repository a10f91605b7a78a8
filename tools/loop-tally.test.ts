import { describe, expect, it } from 'vitest';
import { STAGING_HEAD } from '../src/core/heads/head-specs.ts';
import { toLayoutEntries } from '../src/core/trace/layout-delta.ts';
import { configOf } from '../src/core/testing/fake-history.ts';
import type { RunConfig } from '../src/core/trace/config.ts';
import type { TelemetryEvent } from '../src/core/trace/telemetry.ts';
import { prose } from '../src/runtime/testing/engine-fixture.ts';
import { createFakeModel } from '../src/runtime/testing/fake-model.ts';
import { openHeadlessSession } from './headless-session.ts';
import { Tally } from './loop-tally.ts';

/** A run as the loop makes it, tallied as it passes by. */
async function run(changes: Partial<RunConfig>) {
  const model = createFakeModel();
  const tally = new Tally();
  const events: TelemetryEvent[] = [];
  const config = configOf({ budgetTokens: 1024, recentTokens: 128, maxNewTokens: 8, seed: 5, ...changes });
  const { session } = openHeadlessSession({
    model,
    backend: 'fake',
    title: 'T',
    config,
    onEvents: (batch) => {
      tally.accept(batch);
      events.push(...batch);
    },
  });
  session.steps.announce();
  const origin = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
  session.steps.queue.add(model.tokenizer.encode(prose(3000)), origin);
  while (session.steps.queue.pendingTokens > 0) {
    await session.steps.exclusive(() => session.steps.readOn(false));
    await session.steps.measureDeltaNll();
  }
  tally.askNext();
  await session.ask('Who keeps the light? And where?');
  const { heads, staging } = session.steps.focus.state;
  const layouts = new Map([...heads.entries()].map(([head, { layout }]) => [head, layout] as const));
  if (staging !== undefined) layouts.set(STAGING_HEAD, staging.layout);
  await session.close();
  return { tally, events, layouts };
}

describe('a tally of a run', () => {
  it.each([{ heads: 4 }, { heads: 4, stagingBudgetTokens: 2048, stagingEveryTokens: 192 }, { heads: 1 }])(
    'follows every head’s frames for itself: %o',
    async (changes) => {
      const { tally, events, layouts } = await run(changes);
      // The answer's last tokens stand behind the last frame.
      const cursor = events.findLast((event) => event.type === 'refocus')!.cursor;
      for (const [head, { entries }] of layouts) {
        const told = tally.layoutOf(head);
        const end = told.at(-1)![2];
        expect(end).toBeLessThanOrEqual(cursor);
        expect(told.slice(0, -1)).toEqual(toLayoutEntries(entries).slice(0, told.length - 1));
      }
      expect(tally.headRows().map(({ head }) => head)).toEqual(
        [...layouts.keys()].map((head) => (head === STAGING_HEAD ? 'staging' : head)),
      );
      expect(tally.settlingOf(changes.heads - 1).length).toBeGreaterThan(0);
    },
  );

  it('says by head what was read, what that was worth, and how staging served it', async () => {
    const { tally, events } = await run({
      heads: 4,
      headCues: 'plain, query, names, recency',
      router: 'utility-gated',
      headTopK: 2,
      stagingBudgetTokens: 2048,
      deltaNllEverySteps: 4,
    });
    const rows = tally.headRows();
    expect(rows.map(({ cue }) => cue)).toEqual(['plain', 'query', 'names', 'recency', null]);
    const total = (figure: 'refocusesRead' | 'tokensRead' | 'stagingHits' | 'stagingMisses' | 'gainN') =>
      rows.reduce((sum, row) => sum + (row[figure] ?? 0), 0);
    const of = <T extends TelemetryEvent['type']>(type: T) =>
      events.flatMap((event) => (event.type === type ? [event as Extract<TelemetryEvent, { type: T }>] : []));
    expect(total('refocusesRead')).toBe(2 * of('router').length);
    expect(total('tokensRead')).toBe(2 * of('decode').length);
    expect(tally.answeringHeads).toHaveLength(2);
    const served = of('staging');
    expect(total('stagingHits')).toBe(served.reduce((sum, { hits }) => sum + hits, 0));
    expect(total('stagingMisses')).toBe(served.reduce((sum, { misses }) => sum + misses, 0));
    expect(total('stagingHits') + total('stagingMisses')).toBeGreaterThan(0);
    expect(total('gainN')).toBe(of('deltaNll').filter(({ merged }) => merged !== undefined).length);
    const [row] = rows.filter(({ gainN }) => gainN > 0);
    const gains = of('deltaNll').flatMap(({ head, merged }) =>
      head === row!.head && merged !== undefined ? [merged.withoutNll - merged.nll] : [],
    );
    expect(row!.gainNats).toBeCloseTo(gains.reduce((sum, gain) => sum + gain, 0) / gains.length, 10);
    expect(Math.sign(row!.gainPer1000Slots!)).toBe(Math.sign(row!.gainNats!));
    expect(rows.at(-1)).toMatchObject({ head: 'staging', gainNats: null, stagingHits: null });
  });

  it('has a single head read at every refocus', async () => {
    const [row, ...others] = (await run({ heads: 1 })).tally.headRows();
    expect(others).toEqual([]);
    expect(row!.refocusesRead).toBe(row!.refocuses);
    expect(row).toMatchObject({ weight: 1, gainNats: null });
  });
});
