import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../../core/trace/config.ts';
import { bootEngine, ingest, open, prose } from '../../testing/engine-fixture.ts';

/** What ΔNLL measurements said of the patched cache, refocus by refocus. */
async function measured(config: Partial<RunConfig>, tokens: number, later: Partial<RunConfig> = {}) {
  const fixture = await bootEngine();
  await open(fixture, { deltaNllEverySteps: 1, ...config });
  await ingest(fixture, prose(tokens));
  await fixture.engine.handle({ kind: 'setConfig', changes: later });
  await ingest(fixture, prose(tokens));
  return fixture.events().flatMap((event) => (event.type === 'deltaNll' ? [event.patchExtraNll] : []));
}

describe('KV mode of a session', () => {
  it('patch says what it costs against exact; exact costs nothing and says nothing', async () => {
    const extra = await measured({ kvMode: 'patch' }, 1000);
    expect(extra.every((value) => Number.isFinite(value))).toBe(true);
    expect(extra.some((value) => value !== 0)).toBe(true);
    expect(extra[0]).toBe(0);
    expect(new Set(await measured({}, 400))).toEqual(new Set([undefined]));
  });

  it('can be changed while the session runs', async () => {
    const extra = await measured({ kvMode: 'patch' }, 500, { kvMode: 'exact' });
    expect(extra[0]).toBeTypeOf('number');
    expect(extra.at(-1)).toBeUndefined();
  });
});
