/** The evaluation panel as a user meets it: a small run with plots and exports, a cancelled one, report files. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cellOf, mergeReports } from '../../src/runtime/evaluation/report/cell.ts';
import { parseReport } from '../../src/core/evaluation-report/report.ts';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, seriousIssues } from './open-page.ts';

/** A run of a few questions on a slow and busy machine. */
const RUN_MS = 180_000;
/** Until the page is there, on such a machine. */
const SLOW_MS = 180_000;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let dialog: Locator;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('evaluate');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SLOW_MS, isFirstVisit: true }));
  await page.goto(vite.url, { timeout: SLOW_MS, waitUntil: 'commit' });
  // The first session ingests the example: the run is to have the machine for itself.
  await page
    .getByTitle(/^Pause ingestion/)
    .first()
    .click();
  await page.keyboard.press('Shift+E');
  dialog = page.getByRole('dialog', { name: 'Evaluate' });
  await dialog.waitFor();
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

/** Check exactly these boxes of a group. */
async function choose(legend: string, wanted: readonly string[]): Promise<void> {
  for (const box of await dialog
    .getByRole('group', { name: legend, exact: true })
    .getByRole('checkbox')
    .all()) {
    const name = await box.evaluate((input) => input.parentElement!.innerText.trim());
    await box.setChecked(wanted.includes(name));
  }
}

async function download(name: string): Promise<{ readonly fileName: string; readonly text: string }> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name, exact: true }).click(),
  ]);
  return { fileName: file.suggestedFilename(), text: readFileSync(await file.path(), 'latin1') };
}

it('asks for no policies where a suite compares none', async () => {
  await dialog.getByRole('combobox', { name: 'Suite', exact: true }).selectOption('positions');
  expect(await dialog.getByRole('group', { name: 'Policies', exact: true }).count()).toBe(0);
  expect(await dialog.getByRole('button', { name: 'Run the evaluation' }).isEnabled()).toBe(true);
  await dialog.getByRole('combobox', { name: 'Suite', exact: true }).selectOption('recall');
});

it('runs a small evaluation and shows its table and plots', async () => {
  await choose('Tasks', ['single']);
  await choose('Policies', ['newest-blocks', 'gold']);
  await dialog.getByLabel('Lengths of history').fill('4x');
  await dialog.getByLabel('Budget tokens').fill('nonsense');
  expect(await dialog.getByRole('button', { name: 'Run the evaluation' }).isDisabled()).toBe(true);
  await dialog.getByLabel('Budget tokens').fill('512');
  await dialog.getByLabel('Questions a cell').fill('4');
  expect(await dialog.getByText('8 answers').innerText()).toBe('8 answers');
  await dialog.getByRole('button', { name: 'Run the evaluation' }).click();
  await dialog.getByRole('progressbar', { name: 'Evaluation' }).waitFor();
  const cells = dialog.getByRole('region', { name: 'All cells' });
  await expect.poll(() => cells.getByRole('row').count(), { timeout: RUN_MS }).toBe(3);
  await dialog.getByRole('button', { name: 'Run the evaluation' }).waitFor({ timeout: RUN_MS });
  expect(await cells.getByRole('row', { name: /gold/ }).innerText()).toMatch(/single\s+2,048\s+gold\s+4\s/);
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).slice(0, 10);
  await dialog.getByText(`commit ${commit}`).waitFor();
  const plot = dialog.getByRole('figure', { name: 'Answered by length of history' });
  expect(await plot.getByRole('img').getAttribute('aria-label')).toMatch(/gold: \d+%/);
  expect(await seriousIssues(page)).toEqual([]);
});

it('saves CSV, JSON that the command line reads, and a plot as PNG', async () => {
  const csv = await download('CSV');
  expect(csv.fileName).toMatch(/^recall-.*\.csv$/);
  expect(csv.text.split('\r\n').filter((line) => line.startsWith('recall,single,'))).toHaveLength(2);
  const json = await download('JSON');
  const [suite] = parseReport(json.text, json.fileName).suites;
  expect(suite!.cells.map(({ policy, n, budgetTokens }) => [policy, n, budgetTokens])).toEqual([
    ['newest-blocks', 4, 512],
    ['gold', 4, 512],
  ]);
  const png = await download('Save Answered by length of history as PNG');
  expect(png.text.startsWith('\x89PNG')).toBe(true);
});

it('keeps what was counted when a run is cancelled, and the page usable meanwhile', async () => {
  await dialog.getByLabel('Lengths of history').fill('4x, 64x');
  await dialog.getByLabel('Questions a cell').fill('100');
  await dialog.getByRole('button', { name: 'Run the evaluation' }).click();
  await expect
    .poll(() => dialog.getByRole('progressbar', { name: 'Evaluation' }).getAttribute('value'), {
      timeout: RUN_MS,
    })
    .toMatch(/^0\.0*[1-9]/);
  await page.keyboard.press('Escape');
  await page
    .getByRole('button', { name: /^Ingest one block/ })
    .first()
    .click();
  await page.keyboard.press('Shift+E');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Run the evaluation' }).waitFor({ timeout: RUN_MS });
});

it('opens a report of the command line, compares it, and refuses a broken one', async () => {
  const clusters = [0, 1].map((id) => ({
    cluster: `${id}`,
    n: 50,
    figures: { answered: [50, 40], accuracy: [50, 45 + id], nll: [50, 10 + id], regret: [50, 10] } as const,
  }));
  const key = {
    task: 'single',
    policy: 'lensnet',
    templates: 'seen',
    historyTokens: 1024,
    budgetTokens: 256,
    heads: 1,
  } as const;
  const about = { version: 2, model: 'tiny', seed: 7, backend: 'wasm', commit: 'abcdef0123456789' } as const;
  const report = mergeReports([
    { ...about, suites: [{ suite: 'recall', cells: [cellOf('recall', { ...key, clusters })] }] },
  ]);
  const open = (name: string, text: string) =>
    dialog
      .getByLabel('Report file')
      .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  await open('sweep.json', JSON.stringify(report));
  await dialog.getByText('seed 7, commit abcdef0123').waitFor();
  await dialog.getByRole('figure', { name: 'Normalised regret' }).getByRole('img').waitFor();

  await dialog.getByLabel('Compared with').selectOption({ index: 1 });
  await dialog.getByText('Differences are to').waitFor();

  await open('broken.json', JSON.stringify(report).replace('"n":100', '"n":"many"'));
  const problems = dialog.getByRole('region', { name: 'Problems' });
  await expect
    .poll(() => problems.innerText())
    .toMatch(/broken\.json is no evaluation report: suites\.0\.cells\.0\.n/);
  await dialog.getByText('seed 7, commit abcdef0123').waitFor();
});

it('still has its reports after a reload, without a word on the console', async () => {
  await page.reload();
  await page.getByTitle(/^Evaluate policies/).click();
  await dialog.getByText('seed 7, commit abcdef0123').waitFor();
  expect(complaints).toEqual([]);
});
