/**
 * Branching a run with another threshold and budget, and comparing it with its original: by mouse and by keys, wide
 * and narrow. `SCREENSHOTS=folder` keeps a picture of each stage.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, pauseIngestion, reachStep, seriousIssues } from './open-page.ts';

/** On a slow and busy machine a model takes minutes to load. */
const SOON_MS = 200_000;
const TEST_MS = 400_000;
const STEPS_WANTED = 40;
const BRANCH_STEP = 20;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('compare');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SOON_MS }));
  await page.goto(vite.url);
  await reachStep(page, STEPS_WANTED);
  await pauseIngestion(page);
}, TEST_MS);

afterAll(async () => {
  await browser.close();
  await vite.close();
});

afterEach(() => {
  expect(complaints).toEqual([]);
});

const dialog = (name: string) => page.getByRole('dialog', { name });
const place = () => page.getByLabel('Step of both runs');
/** The slider follows the playhead within an animation frame. */
const standsAt = (words: RegExp) =>
  expect.poll(() => place().getAttribute('aria-valuetext'), { timeout: 10_000 }).toMatch(words);

/** A picture in both themes, and what axe calls serious. */
async function look(name: string): Promise<void> {
  for (const theme of ['light', 'dark']) {
    await page.evaluate((wanted) => {
      document.documentElement.dataset['theme'] = wanted;
    }, theme);
    await page.waitForTimeout(300);
    expect([name, theme, await seriousIssues(page)]).toEqual([name, theme, []]);
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
  }
}

describe('branching and comparing', { timeout: TEST_MS }, () => {
  it('says how to get a second run', async () => {
    await page.keyboard.press('v');
    await dialog('Compare two runs').getByText('Run B is missing').waitFor();
    await look('h1-compare-empty');
    await page.keyboard.press('Escape');
    await dialog('Compare two runs').waitFor({ state: 'detached' });
  });

  it('branches from a step with other parameters, and shows how far it is', async () => {
    await page.keyboard.press('b');
    const form = dialog('Branch from a step');
    await form.getByLabel('From refocus step').fill(String(BRANCH_STEP));
    await form.getByText('Nothing differs yet').waitFor();
    const budget = form.getByRole('textbox', { name: 'Budget W_max' });
    await budget.fill('9');
    await budget.press('Tab');
    await form.getByRole('alert').waitFor();
    await budget.fill('512');
    await budget.press('Tab');
    const threshold = form.getByLabel('Expand threshold').and(page.locator('input[type="text"]'));
    await threshold.fill('0.6');
    await threshold.press('Tab');
    await form.getByText('Expand threshold: 0.2 → 0.6').waitFor();
    await look('h1-branch-form');
    await form.getByRole('button', { name: 'Start the branch' }).click();
    await form.waitFor({ state: 'detached' });
    await page.getByText(/^Branch of .* at step 20 is complete/).waitFor();
    await look('h1-branch-done');
    expect(await page.locator('.session-title').innerText()).toMatch(/^Branch of .* at step 20$/);
  });

  it('opens the comparison at the step where the two part', async () => {
    await page.getByRole('button', { name: 'Compare with the original' }).click();
    const compare = dialog('Compare two runs');
    await compare.getByText(`They part at step ${BRANCH_STEP + 1}`).waitFor();
    await standsAt(new RegExp(`^Step ${BRANCH_STEP + 1}$`));
    const divergences = compare.getByRole('region', { name: 'Where the runs part' });
    expect(await divergences.innerText()).toMatch(/Parameters\s+.*Budget/);
    const row = compare.getByRole('row', { name: /^Budget 1,024/ });
    expect(await row.innerText()).toMatch(/1,024\s+512/);
    await place().press('End');
    await compare.getByRole('row', { name: /^History / }).waitFor();
    await page.waitForTimeout(600);
    await look('h1-compare-sides');
    await compare.getByText(/stretch(es)? of the history differ/).waitFor();
  });

  it('plays, steps and zooms by the timeline’s keys, stacked and by token', async () => {
    const compare = dialog('Compare two runs');
    await compare.getByRole('button', { name: 'Stacked' }).click();
    await page.keyboard.press('Home');
    await standsAt(/^Step 1$/);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await standsAt(/^Step 12$/);
    await page.keyboard.press('w');
    await compare.getByRole('button', { name: /^Play both/ }).click();
    await page.waitForFunction(
      () => Number(document.querySelector<HTMLInputElement>('[aria-label="Step of both runs"]')!.value) > 14,
    );
    await compare.getByRole('button', { name: /^Pause both/ }).click();
    await compare.getByRole('button', { name: 'By token' }).click();
    await standsAt(/^Token /);
    await compare.getByRole('button', { name: /^Go to token .*: Parameters/ }).click();
    await look('h1-compare-stacked');
    await page.keyboard.press('0');
    await compare.getByRole('button', { name: 'Swap A and B' }).click();
    expect(await compare.getByLabel('Run A').inputValue()).toBe('live');
  });

  it('compares the shipped example, and refuses a broken file with words', async () => {
    const compare = dialog('Compare two runs');
    const path = join(tmpdir(), `broken-${process.pid}.trace.jsonl`);
    await writeFile(path, 'hello\n');
    await compare.getByLabel('Trace file B').setInputFiles(path);
    await compare.getByText('Choose a file that was saved with', { exact: false }).waitFor();
    await compare.getByRole('button', { name: /^Dismiss/ }).click();
    await compare.getByLabel('Run B').selectOption('example');
    await compare.locator('.compare-title', { hasText: 'Shipped example' }).waitFor();
    expect(await compare.getByLabel('Run B').inputValue()).toBe('example');
    await compare.getByText(/They part at/).waitFor();
  });

  it('repeats its original on the model itself when nothing was changed', async () => {
    await page.keyboard.press('Escape');
    await dialog('Compare two runs').waitFor({ state: 'detached' });
    await page.getByLabel('Your question').fill('What does a wig cost at Rosen?');
    await page.getByLabel('Your question').press('Enter');
    await page.getByRole('article', { name: 'Model' }).first().waitFor();
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('b');
    await dialog('Branch from a step').getByRole('button', { name: 'Start the branch' }).waitFor();
    await dialog('Branch from a step').getByLabel('From refocus step').fill('38');
    await dialog('Branch from a step').getByRole('button', { name: 'Start the branch' }).click();
    await page.getByText(/^Branch of Branch of .* at step 38 is complete/).waitFor();
    await page.getByRole('button', { name: 'Compare with the original' }).click();
    const compare = dialog('Compare two runs');
    await compare.getByText('They never part').waitFor();
    const answer = compare.locator('.compare-answer');
    await answer.getByText('What does a wig cost at Rosen?').waitFor();
    expect(await answer.locator('mark').count()).toBe(0);
  });

  it('stacks on a narrow screen, and closes with Escape', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(500);
    await look('h1-narrow-compare');
    const widths = await page.evaluate(() => {
      const body = document.querySelector('.compare-body')!;
      return [body.scrollWidth, body.clientWidth];
    });
    expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
    await page.locator('.compare-facts').scrollIntoViewIfNeeded();
    await look('h1-narrow-compare-facts');
    await page.keyboard.press('Escape');
    await dialog('Compare two runs').waitFor({ state: 'detached' });
    await page.keyboard.press('b');
    await look('h1-narrow-branch');
    await page.keyboard.press('Escape');
  });
});
