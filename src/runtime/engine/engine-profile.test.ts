import { describe, expect, it } from 'vitest';
import { PROFILE_STAGES } from '../../core/profile/profile.ts';
import { bootEngine, ingest, open, prose } from '../testing/engine-fixture.ts';

const TIGHT = { budgetTokens: 256, recentTokens: 64, maxNewTokens: 70, temperature: 0.9 };

describe('profile', () => {
  it('tells stages and operations of the last turn and of everything', async () => {
    const fixture = await bootEngine();
    const { engine } = fixture;
    const read = (act: 'read' | 'clear' | 'time-kernels' = 'read') => engine.handle({ kind: 'profile', act });
    await open(fixture, TIGHT);
    await ingest(fixture, prose(1500));
    const before = await read();
    expect(before).toMatchObject({
      turn: null,
      timesKernels: false,
      limits: null,
      model: 'fake',
      backend: 'cpu',
    });
    const names = (group: string, rows: (typeof before)['all']['rows']) =>
      rows.filter((row) => row.group === group).map(({ name }) => name);
    expect(names('stage', before.all.rows)).toEqual(
      expect.arrayContaining(['ingest', 'gist', 'score', 'allocate', 'telemetry', 'storage']),
    );
    expect(names('stage', before.all.rows)).not.toContain('decode');

    await engine.handle({ kind: 'ask', text: 'Which pier is old?' });
    const { turn, all } = await read();
    const stages = names('stage', turn!.rows);
    expect(stages).toEqual(expect.arrayContaining(['assemble', 'prefill', 'decode', 'repair', 'score']));
    for (const stage of names('stage', all.rows)) expect(PROFILE_STAGES).toContain(stage);
    expect(names('operation', turn!.rows)).toEqual(
      expect.arrayContaining(['LensNet', 'GistNet', 'base prefill', 'base decode']),
    );
    const row = (name: string) => turn!.rows.find((each) => each.group === 'stage' && each.name === name)!;
    expect(row('prefill').calls).toBe(1);
    // Every token but the first, whether it found its context changed or not.
    const { plainTokens, repairTokens, focusMs } = turn!.answers;
    expect(plainTokens).toBe(row('decode').calls);
    expect(repairTokens).toBe(row('repair').calls);
    expect(row('assemble').calls).toBe(1 + plainTokens + repairTokens);
    expect(repairTokens).toBeGreaterThan(0);
    expect(focusMs).toBeGreaterThan(0);
    const scores = (rows: (typeof all)['rows']) =>
      rows.find(({ group, name }) => group === 'stage' && name === 'score')!.calls;
    expect(scores(all.rows)).toBeGreaterThan(scores(turn!.rows));

    expect((await read('time-kernels')).timesKernels).toBe(true);
    expect(await read('clear')).toMatchObject({ all: { rows: [] }, turn: null });
    await engine.dispose();
  });

  it('measures the machine when it is asked to, and forgets that with the backend', async () => {
    const fixture = await bootEngine();
    const { engine } = fixture;
    const { limits } = await engine.handle({ kind: 'profile', act: 'measure' });
    expect(limits).toMatchObject({ bytesPerSecond: 1e9, flopsPerSecond: 2e9 });
    expect(limits!.recordMs).toBeGreaterThan(0);
    expect((await engine.handle({ kind: 'profile', act: 'read' })).limits).toEqual(limits);
    const place = { kind: 'shipped', id: 'fake', baseUrl: 'models/' } as const;
    await engine.handle({ kind: 'boot', place, backend: 'cpu' });
    expect((await engine.handle({ kind: 'profile', act: 'read' })).limits).toBeNull();
    await engine.dispose();
  });
});
