import { beforeEach, expect, it } from 'vitest';
import type { Notice } from './protocol/protocol.ts';
import type { EvaluationRequest } from './protocol/evaluation.ts';
import { bootEngine, type EngineFixture, until } from '../testing/engine-fixture.ts';

const REQUEST: EvaluationRequest = {
  templates: 'core',
  suite: 'recall',
  tasks: ['single'],
  policies: ['newest-blocks'],
  arms: [],
  historyTokens: [1024],
  samples: 2,
  seed: 1,
  budgetTokens: 256,
};

let fixture: EngineFixture;
beforeEach(async () => {
  fixture = await bootEngine();
});

const evaluate = (changes: Partial<EvaluationRequest> = {}) =>
  fixture.engine.handle({ kind: 'evaluate', request: { ...REQUEST, ...changes } });
const told = () =>
  fixture.notices.filter(
    (notice): notice is Extract<Notice, { kind: 'evaluation' }> => notice.kind === 'evaluation',
  );

it('runs to the end and tells the progress', async () => {
  const { report, isComplete } = await evaluate();
  expect(isComplete).toBe(true);
  expect(report.suites[0]!.cells).toMatchObject([
    { task: 'single', policy: 'newest-blocks', n: 2, budgetTokens: 256 },
  ]);
  expect(told().at(-1)!.progress.share).toBe(1);
});

it('lists what the page can run, and names what it does not know', async () => {
  const catalogue = await fixture.engine.handle({ kind: 'listEvaluations' });
  // It crosses to the page.
  expect(structuredClone(catalogue)).toEqual(catalogue);
  expect(catalogue.suites.map(({ id }) => id)).toContain('recall');
  expect(catalogue.suites.map(({ id }) => id)).not.toContain('cases');
  await expect(evaluate({ suite: 'nonsense' })).rejects.toThrow(/nonsense/);
  await expect(evaluate({ tasks: ['singel'] })).rejects.toThrow(/Unknown task "singel".*multi-key/);
  await expect(evaluate({ policies: ['newest-blocks', 'psychic'] })).rejects.toThrow(/psychic/);
  const heads = catalogue.suites.find(({ id }) => id === 'heads')!;
  expect(heads).toMatchObject({ hasTemplates: true, defaultPolicies: [] });
  expect(heads.arms).toEqual(expect.arrayContaining([...heads.defaultArms]));
  const ofHeads = { suite: 'heads', tasks: ['multi-key'], policies: [] };
  await expect(evaluate(ofHeads)).rejects.toThrow(/name at least one/);
  await expect(evaluate({ ...ofHeads, arms: ['9 heads'] })).rejects.toThrow(/"9 heads".*one window; /);
  await expect(evaluate({ arms: ['4 heads'] })).rejects.toThrow(/"4 heads" of suite recall/);
});

it('runs one at a time, and gives what was counted when cancelled', async () => {
  const running = evaluate({ samples: 200 });
  await until(() => told().some(({ progress }) => progress.share > 0));
  await expect(evaluate()).rejects.toMatchObject({ code: 'busy' });
  await fixture.engine.handle({ kind: 'cancelEvaluation' });
  const { isComplete, report } = await running;
  expect(isComplete).toBe(false);
  expect(report.suites[0]?.cells[0]?.n ?? 0).toBeLessThan(200);
  expect((await evaluate()).isComplete).toBe(true);
});
