import { expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { defaultsOf } from '../../engine/engine.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import type { Cell } from '../../../core/evaluation-report/report.ts';
import { reportOf, runSuite, type UnitResult } from './run-suite.ts';
import type { EvaluationOptions } from '../plan/suite.ts';

const model = createFakeModel();
const config = { ...defaultsOf(model), budgetTokens: 512 };

async function cellsOf(
  suite: string,
  changes: Partial<EvaluationOptions>,
  of: LoadedModel = model,
): Promise<Map<string, Cell>> {
  const options: EvaluationOptions = {
    suites: [suite],
    tasks: null,
    policies: ['full', 'newest-blocks', 'lensnet'],
    samples: 1,
    seed: 3,
    lengths: [1024],
    config,
    ...changes,
  };
  const results: UnitResult[] = [];
  const prose = Array.from({ length: 600 }, (_, i) => `Essay ${i} says what essays say. `).join('');
  const ports = { model: of, clock: systemClock, data: { prose, squad: [], hotpot: [] } };
  for await (const { result } of runSuite(options, ports)) {
    if (result !== null) results.push(result);
  }
  const [report] = reportOf(results, { model: model.id, seed: 3, backend: 'cpu', commit: null }).suites;
  return new Map(report!.cells.map((cell) => [`${cell.policy} ${cell.historyTokens}`, cell]));
}

it('lens: regret runs from the oracle to chance, and only what scores moves is calibrated', async () => {
  const cells = await cellsOf('lens', { tasks: ['multi-key'] });
  expect(cells.get('answer-oracle 1280')!.regret).toBe(0);
  expect(cells.get('lensnet 1280')).toMatchObject({ budgetTokens: 320, n: 1 });
  expect(Math.abs(cells.get('lensnet 1280')!.spearman!)).toBeLessThanOrEqual(1);
  expect(Math.abs(cells.get('lensnet 1280')!.worthAgreement!)).toBeLessThanOrEqual(1);
  expect(cells.get('answer-oracle 1280')!.why['spearman']).toContain('scores no moves');
}, 60_000);

it('lens: needles in prose are measured where there is prose, and refused by name where there is none', async () => {
  const data = { prose: true, squad: false, hotpot: false };
  const { retrievalHeads, ...manifest } = model.manifest;
  const asked = { tasks: ['needles'], policies: ['lensnet', 'qr-head'] as const, data };
  const cells = await cellsOf('lens', asked, { ...model, manifest });
  expect(retrievalHeads).toBeDefined();
  expect(cells.get('qr-head 1280')!.why['accuracy']).toContain('retrieval heads');
  expect(cells.get('answer-oracle 1280')!.regret).toBe(0);
  expect(cells.get('lensnet 1280')).toMatchObject({ budgetTokens: 320, n: 1, templates: null });
  expect(Math.abs(cells.get('lensnet 1280')!.spearman!)).toBeLessThanOrEqual(1);
  await expect(cellsOf('lens', { tasks: ['needles'] })).rejects.toThrow('needs prose');
}, 60_000);

it('gist: the whole span recovers all of the gap, its deletion none', async () => {
  const cells = await cellsOf('gist', { tasks: ['lod1'] });
  const [full, deleted] = [cells.get('full 256')!, cells.get('deleted 256')!];
  expect(full).toMatchObject({ deltaNll: 0, budgetTokens: 8 });
  expect(deleted.nll).toBeCloseTo(full.nll! + deleted.deltaNll!, 9);
});

it('stream: lengths are places in one text, and the last one carries the curve', async () => {
  const cells = await cellsOf('stream', { lengths: [600, 1400] });
  expect(cells.get('lensnet 600')!.positions).toEqual([]);
  expect(cells.get('lensnet 1400')!.positions.map(({ log2, n }) => [log2, n])).toEqual([
    [9, 128],
    [10, 128],
  ]);
  expect(cells.get('newest-blocks 600')!.why['accuracy']).toContain('no question');
  await expect(cellsOf('stream', { text: { file: 'a.txt', content: 'too short' } })).rejects.toThrow(
    'a.txt has 9 tokens',
  );
}, 60_000);

it('stream: a text is read in windows that lie evenly, and swaps while it streams are told apart', async () => {
  const text = Array.from({ length: 500 }, (_, i) => `Line ${i} of a log. `).join('');
  const asked = {
    text: { file: 'log.txt', content: text },
    lengths: [1800],
    policies: ['lensnet', 'streaming'] as const,
    samples: 4,
  };
  const cells = await cellsOf('stream', asked);
  const lens = cells.get('lensnet 1800')!;
  expect(lens.n).toBe(4);
  expect(lens.intervals.nll).toBeDefined();
  expect(lens.streamSwapRate).not.toBeNull();
  expect(lens.streamFlipRate).toBeGreaterThanOrEqual(0);
  expect(cells.get('streaming 1800')!.streamSwapRate).toBeUndefined();
  const [gists, deletion] = [cells.get('gists-lod1 1800')!, cells.get('deletion-lod1 1800')!];
  expect(gists).toMatchObject({ n: 4, budgetTokens: deletion.budgetTokens });
  for (const use of ['gists', 'keywords', 'nothing']) {
    const cell = cells.get(`${use}-lod1 1800`)!;
    expect(cell.againstDeletion).toBeCloseTo(cell.nll! - deletion.nll!, 9);
  }
  // Each stands for the same spans and is read as itself.
  expect(
    new Set(['gists', 'keywords', 'nothing'].map((use) => cells.get(`${use}-lod1 1800`)!.nll)).size,
  ).toBe(3);
  expect(cells.get('gists-lod2 1800')!.budgetTokens).toBe(config.recentTokens + 1);
  const few = await cellsOf('stream', {
    ...asked,
    text: { file: 'log.txt', content: text.slice(0, 1800 + 64 + 70) },
    policies: ['streaming'],
  });
  expect(few.get('streaming 1800')!.n).toBe(2);
}, 60_000);

it('topics: the lens reads on from the first topic, and both tasks ask about the same history', async () => {
  const cells = await cellsOf('topics', { lengths: [2048], policies: ['gold', 'lensnet'], samples: 3 });
  expect(cells.get('gold 2048')).toMatchObject({ n: 3, routingRecall: 1 });
  expect(cells.get('lensnet 2048')!.swapRate).not.toBeNull();
  await expect(cellsOf('topics', { lengths: [1024] })).rejects.toThrow('from 2048 tokens on');
}, 60_000);

it('heads: staging says how often heads find there what they open, and what a model lacks is said by name', async () => {
  const cells = await cellsOf('heads', {
    tasks: ['multi-key'],
    arms: ['one window', '2 heads', '8 heads', 'one window, staged', 'one window, staged by LensNet-G'],
    lengths: [2048],
    samples: 2,
  });
  expect(cells.get('one window 2048')).toMatchObject({ n: 2, heads: 1, budgetTokens: 512 });
  expect(cells.get('one window 2048')!.stagingHitRate).toBeUndefined();
  expect(cells.get('2 heads 2048')).toMatchObject({ n: 2, heads: 2, budgetTokens: 512 });
  const [one, two] = [cells.get('one window 2048')!, cells.get('2 heads 2048')!];
  expect(one.answeredAgainstOneWindow).toBeUndefined();
  expect(two.answeredAgainstOneWindow).toBe(two.answered! - one.answered!);
  const staged = cells.get('one window, staged 2048')!;
  expect(staged.stagingHitRate).toBeGreaterThanOrEqual(0);
  expect(staged.stagingHitRate).toBeLessThanOrEqual(1);
  expect(cells.get('8 heads 2048')!.why['answered']).toContain('each needs 128');
  expect(cells.get('one window, staged by LensNet-G 2048')!.why['answered']).toContain(
    'brings no LensNet for staging contexts',
  );
}, 60_000);

it('heads: says what each head is worth for text that comes in, and against one window of the same text', async () => {
  const arms = ['one window', '2 heads', '4 heads, half routed'];
  const cells = await cellsOf('heads', { tasks: ['gain'], arms, lengths: [2048], samples: 6 });
  const [one, two] = [cells.get('one window 2048')!, cells.get('2 heads 2048')!];
  expect(one).toMatchObject({ n: 6, answered: null });
  expect(one.againstOneWindow).toBeUndefined();
  expect(two.againstOneWindow).toBeCloseTo(two.nll! - one.nll!, 9);
  for (const name of ['2 heads · head 0, plain 2048', '2 heads · head 1, part 2048']) {
    const head = cells.get(name)!;
    expect(head).toMatchObject({ n: 6, budgetTokens: 256, nll: null });
    expect(head.headSlots).toBeGreaterThan(0);
    expect(head.headSlots).toBeLessThanOrEqual(256);
    expect(head.headGainPerThousandSlots).toBeCloseTo((1000 * head.headGain!) / head.headSlots!, 9);
  }
  // Each reading has half of the heads.
  const routed = [...cells.values()].filter(({ policy }) => policy.startsWith('4 heads, half routed ·'));
  expect(routed.reduce((sum, { n }) => sum + n, 0)).toBe(6 * 2);
  await expect(cellsOf('heads', { tasks: ['gain'], lengths: [1024] })).rejects.toThrow('from 1152 tokens on');
  const text = { file: 'a.txt', content: 'too short' };
  await expect(cellsOf('heads', { tasks: ['gain'], lengths: [2048], text })).rejects.toThrow(
    'a.txt has 9 tokens; 1 windows of 2048',
  );
}, 60_000);

it('heads: heads that are alike are worth nothing for the right answer, in forms that are held out, too', async () => {
  const cells = await cellsOf('heads', {
    tasks: ['gain-multi-query'],
    arms: ['2 heads'],
    lengths: [2048],
    samples: 2,
    templates: 'held-out',
    config: { ...config, headCues: 'plain', diversityGain: 0, merger: 'mean' },
  });
  const heads = [...cells.values()].filter(({ policy }) => policy.includes('·'));
  expect(heads.map(({ policy }) => policy)).toEqual(['2 heads · head 0, plain', '2 heads · head 1, plain']);
  for (const head of heads) {
    expect(head).toMatchObject({ n: 2, templates: 'held-out' });
    expect(head.headGain).toBeCloseTo(0, 5);
  }
  await expect(cellsOf('heads', { tasks: ['topics'], templates: 'held-out' })).rejects.toThrow(
    'told in core forms alone',
  );
}, 60_000);
