import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { Frame } from '../../model/frame.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { METRIC_TRACKS } from './metric-tracks.ts';

const words = (id: string, run: Partial<RunFrames>, frame: Partial<Frame> = {}) =>
  METRIC_TRACKS.find((track) => track.id === id)!.words(
    { index: 0, step: 3, scoreCount: 0, ...frame } as Frame,
    { deltaNllAt: () => undefined, latenciesAt: () => undefined, ...run } as RunFrames,
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

it('has a figure or a reason in every track', () => {
  for (const { id } of METRIC_TRACKS.filter(({ id }) => ['heat', 'score', 'latency'].includes(id))) {
    expect(words(id, {})).toEqual({ why: expect.stringMatching(/\.$/) as string });
  }
});
