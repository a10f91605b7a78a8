import { describe, expect, it } from 'vitest';
import { Profile } from './profile.ts';
import { profileCsv, profileJson } from './profile-file.ts';
import { boundOf, focusCost, type MachineLimits } from './roofline.ts';

const LIMITS: MachineLimits = {
  bytesPerSecond: 1e9,
  flopsPerSecond: 2e9,
  dispatchMs: 0.1,
  recordMs: 0.001,
};

/** A profile whose clock the test turns. */
function setUp() {
  const clock = { ms: 0 };
  return { clock, profile: new Profile(() => clock.ms) };
}

describe('Profile', () => {
  it('adds up calls, and knows bytes only where every call told them', () => {
    const { profile } = setUp();
    profile.add('operation', 'decode', { ms: 2, tokens: 1, bytes: 10, flops: 4, dispatches: 3 });
    profile.add('operation', 'decode', { ms: 5, tokens: 2, bytes: 20, flops: 6 });
    profile.add('stage', 'decode', { ms: 1 });
    const { rows, records } = profile.read().all;
    expect(records).toBe(3);
    expect(rows).toEqual([
      { group: 'operation', name: 'decode', calls: 2, ms: 7, longestMs: 5, tokens: 3, bytes: 30, flops: 10, dispatches: 3 },
      { group: 'stage', name: 'decode', calls: 1, ms: 1, longestMs: 1, tokens: 0, bytes: null, flops: null, dispatches: 0 },
    ]); // prettier-ignore
  });

  it('times work by its clock, also when it fails', async () => {
    const { profile, clock } = setUp();
    const work = (fails: boolean) => () => {
      clock.ms += 4;
      return fails ? Promise.reject(new Error('no')) : Promise.resolve(7);
    };
    expect(await profile.timed('stage', 'storage', work(false), { tokens: 1 })).toBe(7);
    await expect(profile.timed('stage', 'storage', work(true), { tokens: 1 })).rejects.toThrow('no');
    expect(profile.read().all.rows[0]).toMatchObject({ calls: 2, ms: 8, tokens: 2 });
  });

  it('keeps the last turn apart, and what a turn did before its answer began out of the cost of focus', () => {
    const { profile, clock } = setUp();
    expect(profile.read().turn).toBeNull();
    profile.addStage('score', { ms: 100 });
    profile.beginTurn();
    profile.addStage('score', { ms: 50 });
    profile.addStage('prefill', { ms: 40 });
    for (let token = 0; token < 3; token++) profile.addStage('decode', { ms: 2 });
    profile.addStage('score', { ms: 6 });
    profile.addStage('allocate', { ms: 1 });
    profile.addStage('repair', { ms: 5 });
    clock.ms = 30;
    profile.endTurn();
    profile.addStage('score', { ms: 100 });
    clock.ms = 90;
    const { all, turn } = profile.read();
    expect(turn!.rows.find(({ name }) => name === 'score')!.ms).toBe(56);
    expect(all.rows.find(({ name }) => name === 'score')!.ms).toBe(256);
    expect([turn!.elapsedMs, all.elapsedMs]).toEqual([30, 90]);
    // Four tokens at 2 ms; 7 ms of focus and 3 ms of repair.
    expect(focusCost(turn!.answers)).toEqual({ tokens: 4, decodeMs: 2, focusMs: 2.5, share: 1.25 });
    expect(focusCost(all.answers)).toEqual(focusCost(turn!.answers));
  });

  it('begins anew when it is cleared', () => {
    const { profile, clock } = setUp();
    profile.beginTurn();
    profile.addStage('ingest', { ms: 1 });
    clock.ms = 10;
    profile.clear();
    expect(profile.read()).toMatchObject({ all: { rows: [], elapsedMs: 0 }, turn: { rows: [] } });
    profile.endTurn();
    profile.clear();
    expect(profile.read().turn).toBeNull();
  });
});

describe('roofline', () => {
  const row = { calls: 1, dispatches: 0, bytes: 0, flops: 0 };

  it('takes the longer of bandwidth and arithmetic, and the kernels’ starts besides', () => {
    expect(boundOf({ ...row, bytes: 5e6, flops: 4e6 }, LIMITS)).toEqual({ ms: 5, by: 'bandwidth' });
    expect(boundOf({ ...row, bytes: 1e6, flops: 4e6, dispatches: 5 }, LIMITS)).toEqual({
      ms: 2.5,
      by: 'arithmetic',
    });
    expect(boundOf({ ...row, bytes: 1e6, dispatches: 50 }, LIMITS)).toEqual({ ms: 6, by: 'dispatches' });
  });

  it('says nothing where bytes or arithmetic are unknown, and no cost of focus before an answer', () => {
    expect(boundOf({ ...row, bytes: null }, LIMITS)).toBeNull();
    expect(boundOf(row, LIMITS)).toBeNull();
    expect(focusCost(setUp().profile.read().all.answers)).toBeNull();
  });

  it('stands beside every row of a file', () => {
    const { profile } = setUp();
    profile.add('operation', 'LensNet, =default', { ms: 8, tokens: 4, bytes: 5e6, flops: 2e6 });
    const { all } = profile.read();
    expect(profileCsv(all, LIMITS).split('\r\n')).toEqual([
      'group,name,calls,ms,longestMs,tokens,bytes,flops,dispatches,boundMs,boundBy',
      'operation,"LensNet, =default",1,8,8,4,5000000,2000000,0,5,bandwidth',
      '',
    ]);
    const written = JSON.parse(
      profileJson(all, { model: 'tiny', backend: 'wasm', limits: LIMITS }),
    ) as object;
    expect(written).toMatchObject({
      model: 'tiny',
      rows: [{ bound: { ms: 5, by: 'bandwidth' } }],
      focus: null,
    });
  });
});
