/** The profile of a real turn: its stages and operations, kernels and the machine's limits, and the file of it. */
import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, pauseIngestion, reachStep } from './open-page.ts';

const SOON_MS = 180_000;
const TEST_MS = 900_000;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let dialog: Locator;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('profile');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SOON_MS, acceptDownloads: true }));
  await page.goto(vite.url);
  await reachStep(page, 3, SOON_MS);
  await pauseIngestion(page);
  dialog = page.getByRole('dialog', { name: 'Profile', exact: true });
}, TEST_MS);

afterAll(async () => {
  await browser.close();
  await vite.close();
});

const button = (name: string): Locator => dialog.getByRole('button', { name, exact: true });
const section = (name: string): Locator => dialog.getByRole('region', { name, exact: true });

it(
  'shows where a turn went, what the machine would allow, and saves it',
  async () => {
    await page.keyboard.press('Shift+P');
    await dialog.getByText('No question was asked yet.').waitFor();
    expect(await button('CSV').isDisabled()).toBe(true);
    const timesKernels = dialog.getByRole('checkbox', { name: 'Time every kernel' });
    await timesKernels.click(); // it says what the engine does, so it follows when that has answered
    await expect.poll(() => timesKernels.isChecked()).toBe(true);
    await page.keyboard.press('Escape');
    // A variant that TensorFlow.js runs is timed kernel by kernel; the default's pass is one call, as GistNet's blocks are.
    await page.getByRole('combobox', { name: 'LensNet variant' }).selectOption('transformer');
    // So long that blocks close.
    await page.getByLabel('Your question').fill('Who keeps the log? '.repeat(12));
    await page.keyboard.press('Enter');
    await page.getByRole('article', { name: 'Model', exact: true }).waitFor();

    // Away from the field of the question, where it is a letter.
    await page.getByRole('heading', { name: 'Documents' }).click();
    await page.keyboard.press('Shift+P');
    for (const stage of ['score', 'prefill', 'assemble', 'decode', 'storage'])
      await section('Stages').getByRole('rowheader', { name: stage, exact: true }).waitFor();
    for (const operation of ['LensNet transformer', 'GistNet', 'base prefill', 'base decode'])
      await section('Operations').getByRole('rowheader', { name: operation, exact: true }).waitFor();
    await section('Kernels')
      .getByRole('rowheader', { name: /^LensNet transformer: / })
      .first()
      .waitFor();
    await dialog.getByText(/^Focus took .* a decoded token/).waitFor();

    await button('Measure this machine').click();
    await dialog.getByText(/^This machine on this backend: .*GFLOP\/s/).waitFor();
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/profile.png` });
    const download = page.waitForEvent('download');
    await button('JSON').click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('profile-tiny-wasm-turn.json');
    const saved = JSON.parse(readFileSync(await file.path(), 'utf8')) as {
      readonly focus: { readonly tokens: number };
      readonly rows: readonly { readonly name: string; readonly bound: { readonly ms: number } | null }[];
    };
    expect(saved.focus.tokens).toBeGreaterThan(0);
    expect(saved.rows.find(({ name }) => name === 'base decode')!.bound!.ms).toBeGreaterThan(0);

    await button('Clear').click();
    await dialog.getByText('No question was asked yet.').waitFor();
    expect(complaints).toEqual([]);
  },
  TEST_MS,
);
