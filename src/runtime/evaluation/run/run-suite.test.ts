import { describe, expect, it } from 'vitest';
import { K } from '../../../core/tree/ids.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { treeOf } from '../../../core/testing/fake-history.ts';
import { systemClock } from '../../../base/clock.ts';
import { defaultsOf } from '../../engine/engine.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { mergeReports } from '../report/cell.ts';
import { searchOracle } from '../baselines/answer-oracle.ts';
import { DEFAULT_POLICIES } from '../baselines/policies.ts';
import { parseReport } from '../../../core/evaluation-report/report.ts';
import { inOrder, planEvaluation, reportOf, runSuite, runUnit, type UnitResult } from './run-suite.ts';
import type { PublicData } from '../cases/public-data.ts';
import { EvaluationError, type EvaluationOptions, unitKey } from '../plan/suite.ts';

const model = createFakeModel();
const options: EvaluationOptions = {
  suites: ['recall'],
  tasks: ['variable-tracking'],
  policies: DEFAULT_POLICIES,
  samples: 8,
  seed: 3,
  lengths: [1024, 4096],
  config: { ...defaultsOf(model), budgetTokens: 512 },
};
const about = { model: model.id, seed: options.seed, backend: 'cpu', commit: null };

async function run(changes: Partial<EvaluationOptions> = {}, signal?: AbortSignal): Promise<UnitResult[]> {
  const results: UnitResult[] = [];
  const ports = { model, clock: systemClock, ...(signal && { signal }) };
  for await (const { result } of runSuite({ ...options, ...changes }, ports)) {
    if (result !== null) results.push(result);
  }
  return results;
}

/** Run once for all tests. */
const whole = run();

describe('runSuite', () => {
  it('gives one report however the work is cut and in whatever order it is done', async () => {
    const results = await whole;
    const report = reportOf(results, about);
    const [cell] = report.suites[0]!.cells;
    expect(cell).toMatchObject({ task: 'variable-tracking', policy: 'full', n: 8 });
    expect(report.suites[0]!.cells).toHaveLength(2 * DEFAULT_POLICIES.length);

    expect(reportOf([...results].reverse(), about)).toEqual(report);
    const shards = [0, 1].map((shard) => results.filter((_, index) => index % 2 === shard));
    const files = shards.map((part) => JSON.stringify(reportOf(part, about)));
    const merged = inOrder(mergeReports(files.map((file) => parseReport(file, 'part.json'))));
    expect(JSON.stringify(merged)).toBe(JSON.stringify(report));
  });

  it('says why a policy has no figure, and keeps accuracy to what was routed and read', async () => {
    const { suites } = reportOf(await whole, about);
    const cells = new Map(suites[0]!.cells.map((cell) => [`${cell.policy} ${cell.historyTokens}`, cell]));
    expect(cells.get('full 4096')).toMatchObject({ n: 0, answered: null, accuracy: null });
    expect(cells.get('full 4096')!.why['accuracy']).toContain('longer than');
    expect(cells.get('lensnet 1024')!.why['regret']).toContain('answer-oracle');
    expect(cells.get('lensnet 4096')!.why['deltaNll']).toContain('longer than');
    expect(cells.get('full 1024')).toMatchObject({ routingRecall: 1, deltaNll: 0 });
    for (const length of [1024, 4096]) {
      expect(cells.get(`gold ${length}`)!.routingRecall).toBeGreaterThan(0.8);
      expect(cells.get(`gists ${length}`)).toMatchObject({ routingRecall: 0 });
      expect(cells.get(`lensnet ${length}`)!.swapRate).not.toBeNull();
      expect(cells.get(`bm25-blocks ${length}`)!.utilisation).toBeGreaterThan(0.7);
    }
    for (const cell of cells.values()) {
      const { historyTokens, budgetTokens, policy, utilisation } = cell;
      if (policy !== 'full' && utilisation != null)
        expect(utilisation * budgetTokens).toBeLessThanOrEqual(budgetTokens);
      expect(cell.distances.every(({ log2 }) => 2 ** log2 <= historyTokens + 256)).toBe(true);
    }
  });

  it('asks every policy, budget and length the same, whichever others run', async () => {
    const alone = await run({ policies: ['bm25-blocks'], lengths: [4096] });
    const among = (await whole).filter(({ unit }) => unit.historyTokens === 4096);
    const nllOf = (results: UnitResult[]) =>
      results.map(
        ({ cells }) => cells.find(({ policy }) => policy === 'bm25-blocks')!.clusters[0]!.figures.nll,
      );
    expect(nllOf(alone)).toEqual(nllOf(among));
  });

  it('stops when it is told to, and keeps what was done', async () => {
    const controller = new AbortController();
    const done: UnitResult[] = [];
    const ports = { model, clock: systemClock, signal: controller.signal };
    const stopped = (async () => {
      for await (const { result } of runSuite(options, ports)) {
        if (result === null) continue;
        done.push(result);
        controller.abort(new Error('stopped by hand'));
      }
    })();
    await expect(stopped).rejects.toThrow('stopped by hand');
    expect(done).toHaveLength(1);
  });

  it('plans every question once, and refuses what leaves no room', () => {
    const units = planEvaluation({ ...options, samples: 23, lengths: [2048] }, model);
    expect(units.reduce((sum, { n }) => sum + n, 0)).toBe(23);
    expect(new Set(units.map(unitKey)).size).toBe(units.length);
    expect(() => planEvaluation({ ...options, lengths: [100] }, model)).toThrow(/no room/);
    expect(() => planEvaluation({ ...options, suites: ['taste'] }, model)).toThrow(/Unknown suite "taste"/);
  });

  it('tells the languages of the recall suite apart', () => {
    const plan = (templates: 'core' | 'trained' | 'held-out', task: string) =>
      planEvaluation({ ...options, lengths: [2048], tasks: [task], templates }, model);
    expect(plan('core', 'single').map(({ templates }) => templates)).toContain('seen');
    expect(plan('held-out', 'single').map(({ templates }) => templates)).toContain('held-out');
    const keys = (['core', 'trained', 'held-out'] as const).flatMap((language) =>
      plan(language, 'single').map(unitKey),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(plan('held-out', 'count')).not.toEqual([]);
  });

  it('scores cases of one’s own, with and without gold', async () => {
    const history =
      'Fog came in from the sea. '.repeat(20) + 'The lantern of Mara is amber. ' + 'Gulls cried. '.repeat(40);
    const at = history.indexOf('amber');
    const question = { history, question: 'What colour is it?', answer: 'amber' };
    const gold = [[at, at + 5]] as const;
    const policies = ['full', 'gold', 'gists'] as const;
    const own = { suites: ['cases'], tasks: null, policies };
    const known = reportOf(
      await run({
        ...own,
        cases: [
          { ...question, gold },
          { ...question, gold },
        ],
      }),
      about,
    );
    expect(known.suites[0]!.cells.map(({ policy, n, routingRecall }) => [policy, n, routingRecall])).toEqual([
      ['full', 2, 1],
      ['gists', 2, 0],
      ['gold', 2, 1],
    ]);
    const unknown = reportOf(await run({ ...own, cases: [{ ...question, gold: null }] }), about);
    expect(unknown.suites[0]!.cells.find(({ policy }) => policy === 'gold')!.why['accuracy']).toContain(
      'do not say',
    );
    expect(unknown.suites[0]!.cells[0]).toMatchObject({ policy: 'full', routingRecall: null, n: 1 });
  });

  it('places slots in every way for the suite positions', async () => {
    const { suites } = reportOf(
      await run({ suites: ['positions'], tasks: null, policies: [], samples: 2, lengths: [512, 4096] }),
      about,
    );
    const cells = suites[0]!.cells.map(({ task, policy, historyTokens, nll }) => {
      return [`${task} ${policy} ${historyTokens}`, nll] as const;
    });
    expect(cells).toHaveLength(14);
    const nllOf = new Map(cells);
    for (const mode of ['compact', 'grouped']) {
      expect(nllOf.get(`moved ${mode} 4096`)).toBe(nllOf.get(`moved ${mode} 512`));
    }
    expect(nllOf.get('moved absolute 4096')).not.toBe(nllOf.get('moved absolute 512'));
    expect(nllOf.get('focused absolute 4096')).not.toBe(nllOf.get('focused compact 4096'));
  });

  it('asks before and after pruning, by what was used, by age and by chance', async () => {
    const asked = { suites: ['pruning'], tasks: null, policies: [], samples: 2, lengths: [2048] };
    const { suites } = reportOf(await run(asked), about);
    const cells = suites[0]!.cells;
    expect(cells.map(({ policy }) => policy).sort()).toEqual(
      [
        'unpruned',
        ...['telemetry', 'age', 'random'].flatMap((by) => [10, 30, 60].map((part) => `${by} ${part}%`)),
      ].sort(),
    );
    for (const cell of cells) expect(cell).toMatchObject({ n: 2 });
  });

  it('reads one conversation from three caches for the suite kv', async () => {
    const asked = { suites: ['kv'], tasks: null, policies: [], samples: 3, lengths: [2048] };
    const { suites } = reportOf(await run(asked), about);
    const [fresh, exact, patch] = ['fresh', 'exact', 'patch'].map((id) =>
      suites[0]!.cells.find(({ policy }) => policy === id)!,
    );
    for (const cell of [fresh!, exact!, patch!]) expect(cell).toMatchObject({ n: 3, deltaNll: null });
    expect(fresh!.extraNll).toBe(0);
    // What an exact cache keeps is what a fresh one would hold; a patched one is a little off.
    expect(exact!.extraNll).toBe(0);
    expect(exact!.nll).toBe(fresh!.nll);
    expect(patch!.extraNll).not.toBe(0);
    expect(patch!.nll! - fresh!.nll!).toBeCloseTo(patch!.extraNll!, 9);
    expect(exact!.ranSlots!).toBeLessThanOrEqual(fresh!.ranSlots!);
    expect(patch!.ranSlots!).toBeLessThan(exact!.ranSlots!);
  });

  it('lets the oracle keep the expansions that help, one at a time, and no others', async () => {
    const wanted = [96, 320];
    const nll = (layout: Layout): Promise<number> =>
      Promise.resolve(
        3 - layout.entries.filter(({ lod, start }) => lod === 0 && wanted.includes(start)).length,
      );
    const { entries } = await searchOracle(treeOf(1000), options.config, nll);
    const old = entries.filter(({ lod, end }) => lod === 0 && end < 1000 - options.config.recentTokens - K);
    expect(old.map(({ start }) => start)).toEqual(wanted);
  });
});

it('names task, length and remedy where a history cannot be written', async () => {
  const unit = {
    suite: 'recall',
    task: 'single',
    templates: 'seen',
    historyTokens: 160,
    index: 0,
    n: 8,
  } as const;
  const ports = { model, clock: systemClock, step: () => Promise.resolve() };
  const refused = runUnit(unit, options, ports);
  await expect(refused).rejects.toThrow(EvaluationError);
  await expect(refused).rejects.toThrow(
    /^recall, single at 160 tokens: .*Raise --lengths, or leave the task out/,
  );
});

it('leaves a task without its data out, and names how to get it', async () => {
  const unit = {
    suite: 'recall',
    task: 'in-prose',
    templates: 'seen',
    historyTokens: 2048,
    index: 0,
    n: 1,
  } as const;
  const ports = { model, clock: systemClock, step: () => Promise.resolve() };
  await expect(runUnit(unit, options, ports)).rejects.toThrow(
    /in-prose .* needs prose \(\*\.txt\): run npm run eval:data/,
  );
});

it('names the task where its data cannot be used', async () => {
  const options: EvaluationOptions = {
    suites: ['nolima'],
    tasks: null,
    policies: ['gists'],
    samples: 1,
    seed: 1,
    lengths: [1024],
    config: { ...defaultsOf(model), budgetTokens: 512 },
    data: { prose: true, squad: false, hotpot: false },
  };
  const data: PublicData = { prose: ' ', squad: [], hotpot: [] };
  const [unit] = planEvaluation(options, model);
  const ports = { model, clock: systemClock, step: () => Promise.resolve(), data };
  await expect(runUnit(unit!, options, ports)).rejects.toThrow(
    /^nolima, .* at 1024 tokens: The prose has no sentence/,
  );
});
