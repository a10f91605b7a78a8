import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { Frame } from '../../model/frame.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { Tracks } from '../../model/tracks.ts';
import { METRIC_TRACKS } from './metric-tracks.ts';

const words = (id: string, run: Partial<RunFrames>, index = 0) =>
  METRIC_TRACKS.find((track) => track.id === id)!.words(
    { step: 3, scoreCount: 0 } as Frame,
    { deltaNllAt: () => undefined, latenciesAt: () => undefined, ...run } as RunFrames,
    index,
  );
const withConfig = (changes: object) => ({ configAt: () => ({ ...DEFAULT_RUN_CONFIG, ...changes }) });

it('says why there is no ΔNLL, wherever there is none', () => {
  const why = 'The full history with its horizon, 1,100 tokens, is longer than this base reads well.';
  const measured = { type: 'deltaNll', deltaNll: null, fullNll: null, why } as never;
  expect(words('deltaNll', { deltaNllAt: () => measured })).toEqual({ why });
  expect(words('deltaNll', withConfig({}))).toEqual({ why: expect.stringContaining('was off') as string });
  expect(words('deltaNll', withConfig({ deltaNllEverySteps: 2 }))).toEqual({
    why: expect.stringContaining('every 2 refocuses') as string,
  });
  expect(words('deltaNll', withConfig({ deltaNllEverySteps: 3 }))).toEqual({
    why: expect.stringContaining('Fewer than 64') as string,
  });
  expect(words('deltaNll', { deltaNllAt: () => ({ deltaNll: 0.05 }) as never })).toBe('+0.05');
  expect(words('patch', withConfig({}))).toEqual({ why: expect.stringContaining('KV mode') as string });
});

it('says which heads were chosen and how staging served, or why not', () => {
  const routing = { chosen: [0, 2], utilities: [1, 0, 1, 0], confidence: 0.8 } as never;
  const staging = { hits: 3, misses: 1, ageTokens: 64, servedTokens: 256 } as never;
  const run: Partial<RunFrames> = {
    routingAt: (index) => (index === 0 ? routing : undefined),
    stagingAt: (index) => (index === 0 ? staging : undefined),
    ...withConfig({ stagingEveryTokens: 128 }),
  };
  const valuesOf = (id: string, index: number) =>
    METRIC_TRACKS.find((track) => track.id === id)!.values({} as Frame, run as RunFrames, index);
  expect([words('router', run), words('staging', run)]).toEqual(['0,2 80%', '75%']);
  expect([valuesOf('router', 0), valuesOf('staging', 0)]).toEqual([
    [0.8, 0, 0.8, 0],
    [0.75, 0.5],
  ]);
  expect([valuesOf('router', 1), valuesOf('staging', 1)]).toEqual([null, null]);
  for (const id of ['router', 'staging']) {
    expect(words(id, run, 1)).toEqual({ why: expect.stringMatching(/\.$/) as string });
  }
});

it('offers the tracks of heads and staging to runs that have them', () => {
  const tracks = new Tracks();
  tracks.register(...METRIC_TRACKS);
  const offered = (...headIds: readonly number[]) => tracks.suited({ headIds }).map(({ id }) => id);
  expect(offered(0)).toEqual(METRIC_TRACKS.map(({ id }) => id).filter((id) => !/router|staging/.test(id)));
  expect(offered(0, 1)).toContain('router');
  expect(offered(0, 1)).not.toContain('staging');
  expect(offered(0, 8)).toContain('staging');
  expect(offered(0, 8)).not.toContain('router');
});

it('has a figure or a reason in every track', () => {
  for (const { id } of METRIC_TRACKS.filter(({ id }) => ['heat', 'score', 'latency'].includes(id))) {
    expect(words(id, {})).toEqual({ why: expect.stringMatching(/\.$/) as string });
  }
});
