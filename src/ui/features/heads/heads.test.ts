import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { sampleAction, sampleRefocus } from '../../../core/testing/sample-events.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import { settledAt } from '../../model/answer-citations.ts';
import { Run } from '../../model/run.ts';
import { Commands } from '../../commands/commands.ts';
import { heldBlocks } from './draw-lanes.ts';
import type { Model } from '../../model/model.ts';
import { Heads } from './heads.ts';
import {
  coverageWords,
  gainPerSlotsWords,
  gainWords,
  laneName,
  readWords,
  routingWords,
  stagingWords,
} from './lane-words.ts';

const routing = (step: number, chosen: number[]): TelemetryEventOf<'router'> => ({
  type: 'router',
  step,
  timeMs: step,
  cursor: 96,
  router: 'utility-gated',
  utilities: [0.5, -1],
  chosen,
  confidence: 0.8,
  ms: 0,
});

/** Two steps of two heads; the second head comes with the second step. */
function runOfTwo(): Run {
  const run = new Run();
  run.append([
    { ...sampleRefocus({ step: 1, cursor: 64 }) },
    sampleRefocus({
      step: 2,
      cursor: 96,
      layout: {
        kind: 'keyframe',
        entries: [
          [0, 0, 32],
          [0, 32, 64],
          [0, 64, 96],
        ],
      },
    }),
    sampleRefocus({
      head: 1,
      step: 2,
      cursor: 96,
      layout: {
        kind: 'keyframe',
        entries: [
          [1, 0, 32],
          [0, 32, 64],
          [0, 64, 96],
        ],
      },
      actions: [sampleAction({ kind: 'collapse', start: 0, toLod: 1 })],
    }),
    routing(2, [0]),
  ]);
  return run;
}

describe('a run of several heads', () => {
  it('keeps each head’s frames apart, at the places of the first one’s', () => {
    const run = runOfTwo();
    expect(run.frameCount).toBe(2);
    expect(run.headIds).toEqual([0, 1]);
    const second = run.ofHead(1)!;
    expect([second.frameCount, second.cursor]).toEqual([2, 96]);
    // Before it came, the first head's context is what stood: every place has a frame.
    expect(second.frameAt(0)).toBe(run.frameAt(0));
    expect(second.layoutAt(0)).toBe(run.layoutAt(0));
    expect(second.frameAt(1)?.actions).toHaveLength(1);
    expect(second.layoutAt(1)[0]).toEqual([1, 0, 32]);
    expect(run.layoutAt(1)[0]).toEqual([0, 0, 32]);
    expect(run.frameAt(1)?.actions).toEqual([]);
    expect(second.nextAction(0, 1)).toBe(1);
    expect(second.nextAction(1, -1)).toBeNull();
    expect(run.routingAt(1)?.chosen).toEqual([0]);
    expect(run.routingAt(0)).toBeUndefined();
    run.reset();
    expect(run.headIds).toEqual([0]);
    expect(run.ofHead(1)).toBeUndefined();
  });

  it('shows no head where the parameters have none, and a frame at every place all the same', () => {
    const run = runOfTwo();
    const config = { ...DEFAULT_RUN_CONFIG, heads: 1 };
    const said = { type: 'session', sessionId: 's', title: 'S', modelId: 'm', modelHash: 'h' } as const;
    run.append([
      { ...said, step: 2, timeMs: 0, backend: 'cpu', config },
      sampleRefocus({ step: 3, cursor: 128, layout: { kind: 'delta', splices: [] } }),
    ]);
    const second = run.ofHead(1)!;
    expect(second.frameAt(2)).toBe(run.frameAt(2));
    expect(second.layoutAt(1)[0]).toEqual([1, 0, 32]);
    for (let index = 0; index < second.frameCount; index++) expect(second.frameAt(index)).toBeDefined();
    expect(settledAt(second, 128)).toBe(-1);
  });

  it('knows what each holds raw beyond the recent window', () => {
    const run = runOfTwo();
    run.append([
      {
        type: 'session',
        step: 2,
        timeMs: 0,
        sessionId: 's',
        title: 'S',
        modelId: 'm',
        modelHash: 'h',
        backend: 'cpu',
        config: { ...DEFAULT_RUN_CONFIG, heads: 2, recentTokens: 32 },
      },
      sampleRefocus({ step: 3, cursor: 96, layout: { kind: 'delta', splices: [] } }),
      sampleRefocus({ head: 1, step: 3, cursor: 96, layout: { kind: 'delta', splices: [] } }),
    ]);
    expect(heldBlocks(run, [0, 1], 2).map((blocks) => [...blocks])).toEqual([[0, 1], [1]]);
  });
});

describe('what a head is used for and worth', () => {
  it('counts at how many steps it was read, and what was measured of it up to a step', () => {
    const run = runOfTwo();
    const measured = (step: number, withoutNll: number) => ({
      type: 'deltaNll' as const,
      step,
      timeMs: step,
      head: 1,
      cursor: 96,
      horizonTokens: 64,
      workingContextNll: 2,
      fullNll: null,
      deltaNll: null,
      merged: { nll: 1.5, withoutNll },
    });
    run.append([
      sampleRefocus({ step: 3, cursor: 128, layout: { kind: 'delta', splices: [] } }),
      sampleRefocus({ head: 1, step: 3, cursor: 128, layout: { kind: 'delta', splices: [] } }),
      routing(3, [0, 1]),
      measured(2, 1.75),
      measured(3, 1.5),
    ]);
    const words = (index: number) => [0, 1].map((head) => readWords(head, run.readsUpTo(index)));
    expect([words(0), words(1), words(2)]).toEqual([
      ['–', '–'],
      ['1 of 1', '0 of 1'],
      ['2 of 2', '1 of 2'],
    ]);
    const second = run.ofHead(1)!;
    expect([second.gainsUpTo(1), second.gainsUpTo(2), second.gainsUpTo(3)]).toEqual([[], [0.25], [0.25, 0]]);
    expect(run.ofHead(0)!.gainsUpTo(3)).toEqual([]);
    const measuring = { deltaNllEverySteps: 8 };
    expect(gainWords([0.25, 0], measuring)).toBe('0.125 (n = 2)');
    expect([gainPerSlotsWords([0.25, 0], 250), gainPerSlotsWords([], 250)]).toEqual(['0.500', '–']);
    expect([gainWords([], measuring), gainWords([], { deltaNllEverySteps: 0 })]).toEqual([
      'not measured yet',
      'ΔNLL is not measured',
    ]);
  });
});

describe('what staging served', () => {
  it('is summed up to a step', () => {
    const run = runOfTwo();
    const served = (step: number, hits: number, misses: number): TelemetryEventOf<'staging'> => ({
      type: 'staging',
      step,
      timeMs: step,
      cursor: 96,
      budgetTokens: 4096,
      usedTokens: 400,
      entryCount: 40,
      ageTokens: 0,
      hits,
      misses,
      refocusMs: 0,
      servedTokens: 0,
    });
    run.append([served(1, 2, 0), served(2, 1, 3)]);
    const second = run.ofHead(1)!;
    expect([run.stagingUseUpTo(0), second.stagingUseUpTo(1), run.stagingUseUpTo(-1)]).toEqual([
      { hits: 2, misses: 0 },
      { hits: 3, misses: 3 },
      { hits: 0, misses: 0 },
    ]);
  });
});

describe('the commands of heads', () => {
  function scene({ isLive = true, readOnly = false, shown = 1, headIds = [0, 1, 2, 8] } = {}) {
    const set: unknown[] = [];
    const told: { message: string }[] = [];
    const config = { ...DEFAULT_RUN_CONFIG, heads: 3 };
    const model = {
      view: { head: shown, source: { run: { headIds } } },
      shown: { isLive },
      mirror: { getState: () => ({ session: { config, readOnly } }) },
      actions: { setParameters: (changes: unknown) => Promise.resolve((set.push(changes), null)) },
      problems: { report: (problem: { message: string }) => told.push(problem) },
    } as unknown as Model;
    const commands = new Commands();
    const heads = new Heads({ model, commands });
    return { set, told, commands, heads };
  }

  it('read the shown head alone, leave it out, and open the table', () => {
    const { set, told, commands, heads } = scene();
    commands.run('solo-head');
    commands.run('mute-head');
    commands.run('heads-table');
    expect(set).toEqual([{ mutedHeads: '0,2' }, { mutedHeads: '1' }]);
    expect([heads.store.getState().tableOpen, told]).toEqual([true, []]);
  });

  it.each([
    [{ isLive: false }, /recording/],
    [{ readOnly: true }, /another tab/],
    [{ shown: 8 }, /staging/],
    [{ headIds: [0], shown: 0 }, /one head/],
  ])('change nothing where %o, and say why', (state, why) => {
    const { set, told, commands } = scene(state);
    commands.run('solo-head');
    commands.run('mute-head');
    expect(set).toEqual([]);
    expect(told).toHaveLength(2);
    for (const { message } of told) expect(message).toMatch(why);
  });
});

describe('a head’s own parameters', () => {
  it('change alone, and what is refused is told', async () => {
    const set: unknown[] = [];
    const told: string[] = [];
    const config = { ...DEFAULT_RUN_CONFIG, heads: 3, headCues: '' };
    const model = {
      mirror: { getState: () => ({ session: { config } }) },
      actions: {
        setParameters: (changes: unknown) => Promise.resolve(set.push(changes) > 1 ? 'no room' : null),
      },
      problems: { reportError: (title: string) => told.push(title) },
    } as unknown as Model;
    const heads = new Heads({ model, commands: { register: () => undefined } as never });
    await heads.setCue(1, { cue: 'names' });
    expect(told).toEqual([]);
    await heads.setCue(2, { weight: 3 });
    expect(set).toEqual([{ headCues: 'plain, names, query' }, { headCues: 'plain, part, query*3' }]);
    expect(told).toEqual(['The head could not be changed']);
  });
});

describe('the words of lanes', () => {
  it('name a head by its cue', () => {
    const config = { ...DEFAULT_RUN_CONFIG, heads: 2, headCues: 'plain,names' };
    expect([laneName(1, config), laneName(8, config), laneName(3, null)]).toEqual([
      'Head 1, names',
      'Staging',
      'Head 3',
    ]);
  });

  it('say what the router chose, what is held by several and how staging served', () => {
    expect(routingWords(routing(1, [0]))).toBe(
      'Head 0 of 2 read (utility-gated, confidence 80%, 0.0 ms); utilities 0.50, -1.00.',
    );
    expect(routingWords(undefined)).toBe('All heads are read.');
    expect(coverageWords([new Set([1, 2]), new Set([2, 3])])).toBe(
      'Overlap 33% on average, 33% at most; held by one head alone: 50%, 50%.',
    );
    expect(
      stagingWords(
        {
          type: 'staging',
          step: 1,
          timeMs: 1,
          cursor: 512,
          budgetTokens: 4096,
          usedTokens: 400,
          entryCount: 40,
          ageTokens: 64,
          hits: 3,
          misses: 1,
          refocusMs: 12,
          servedTokens: 256,
        },
        { hits: 9, misses: 3 },
      ),
    ).toBe('Staging holds 400 slots, 64 tokens old: 3 hits, 1 miss, 47 µs a token; 75% hits of 12 so far.');
    expect(stagingWords(undefined, { hits: 0, misses: 0 })).toBe('');
  });
});
