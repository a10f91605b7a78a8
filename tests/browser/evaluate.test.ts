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
/** The questions of the first run. */
let saved: { readonly fileName: string; readonly text: string };

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

async function download(
  name: string,
  encoding: BufferEncoding = 'latin1',
): Promise<{ readonly fileName: string; readonly text: string }> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name, exact: true }).click(),
  ]);
  return { fileName: file.suggestedFilename(), text: readFileSync(await file.path(), encoding) };
}

it('asks for what a suite compares: ways to read, or neither those nor policies', async () => {
  const suite = dialog.getByRole('combobox', { name: 'Suite', exact: true });
  const run = dialog.getByRole('button', { name: 'Run the evaluation' });
  const policies = dialog.getByRole('group', { name: 'Policies', exact: true });
  await suite.selectOption('positions');
  expect(await policies.count()).toBe(0);
  expect(await run.isEnabled()).toBe(true);
  await suite.selectOption('heads');
  expect(await policies.count()).toBe(0);
  await choose('Ways to read', []);
  expect(await run.isDisabled()).toBe(true);
  await choose('Ways to read', ['one window', '4 heads']);
  await dialog.getByText('40 answers', { exact: true }).waitFor();
  expect(await run.isEnabled()).toBe(true);
  await suite.selectOption('recall');
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

it('shows the wrong answers of a cell one by one on the timeline, by keys alone', async () => {
  saved = await download('Questions', 'utf8');
  expect(saved.fileName).toMatch(/^recall-.*\.jsonl$/);
  const cells = dialog.getByRole('region', { name: 'All cells' });
  const count = cells.getByRole('button', { name: /^Show the \d+ wrong answers? of newest-blocks, single/ });
  const wrong = Number(await count.innerText());
  await count.focus();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  const card = page.getByRole('region', { name: 'Recorded question' });
  await card.getByText(`1 of ${wrong}`).waitFor();
  expect(await card.innerText()).toMatch(
    /✗ Wrong[^]*Expected[^]*Decoded[^]*Gold, not raw when the answer began/,
  );
  const list = page.getByRole('list', { name: 'Questions' });
  expect(await list.getByRole('button').count()).toBe(wrong);
  expect(await list.locator('[aria-current]').count()).toBe(1);
  // What the timeline draws, as its table says it: the block that holds the answer is a gist.
  await page.keyboard.press('t');
  const blocks = page.getByRole('region', { name: 'Blocks of the shown step' });
  expect(
    await blocks
      .getByRole('row', { name: /Holds the answer/ })
      .first()
      .innerText(),
  ).toMatch(/^\s*LOD/);
  await page.keyboard.press('t');
  expect(await seriousIssues(page)).toEqual([]);
  await page.getByRole('button', { name: 'Close the questions' }).click();
  await card.waitFor({ state: 'hidden' });
});

it('lists the questions of a file that is dropped, filters them, and opens one', async () => {
  await page.evaluate(
    ([name, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text!], name!));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    [saved.fileName, saved.text],
  );
  const filters = page.getByRole('group', { name: 'Which questions are listed' });
  await filters.getByLabel('Wrong ones only').setChecked(false);
  await page.getByText('8 of 8 questions listed.').waitFor();
  await filters.getByLabel('Policy').selectOption('gold');
  await page.getByText('4 of 8 questions listed.').waitFor();
  await page.getByRole('list', { name: 'Questions' }).getByRole('button').first().focus();
  await page.keyboard.press('Enter');
  const card = page.getByRole('region', { name: 'Recorded question' });
  await card.getByText('▾ Gold, raw when the answer began').waitFor();
  await card.getByRole('button', { name: 'Next question' }).click();
  await card.getByText('2 of 4').waitFor();
  await page.getByRole('region', { name: 'Blocks in focus' }).getByRole('row', { name: /gold/ }).waitFor();
  await page.getByRole('button', { name: 'Close the questions' }).click();
  await page.keyboard.press('Shift+E');
  await dialog.waitFor();
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
