/** Training LensNet in the page, on WASM, with a short session: collect, a few steps, keep, export, import, go back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SafetensorsFile } from '../../src/nn/model-folder/safetensors.ts';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage } from './open-page.ts';

const ROOT = join(import.meta.dirname, '../..');
/** On a slow and busy machine a model takes minutes to load. */
const SOON_MS = 280_000;
const TEST_MS = 900_000;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let dialog: Locator;
let complaints: readonly string[] = [];
const chronicle = readFileSync(join(ROOT, 'public/examples/harbour-chronicle.txt'), 'utf8');

beforeAll(async () => {
  vite = await startVite('lens-training');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SOON_MS, acceptDownloads: true }));
  await page.route('**/harbour-chronicle.txt', (route) => route.fulfill({ body: chronicle.slice(0, 800) }));
  await page.goto(vite.url);
  dialog = page.getByRole('dialog', { name: 'Train LensNet on this session' });
}, TEST_MS);

afterAll(async () => {
  await browser.close();
  await vite.close();
});

const isIdle = (): Promise<void> => page.getByRole('button', { name: 'Nothing is queued' }).first().waitFor();
const button = (name: string | RegExp): Locator => dialog.getByRole('button', { name });

it(
  'says how much more a history needs, then measures, trains and keeps',
  async () => {
    await isIdle();
    await page.keyboard.press('Shift+N');
    await dialog.getByText(/at least [\d,]+ are needed/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Text to add').fill(chronicle.slice(800, 5800));
    await page.getByRole('button', { name: 'Add text' }).click();
    await isIdle();
    const budget = page.getByRole('textbox', { name: 'Budget W_max' });
    await budget.fill('384');
    await budget.press('Enter');
    await page.getByRole('heading', { name: 'Documents' }).click();

    await page.keyboard.press('Shift+N');
    await dialog.getByLabel(/^Places/).fill('9');
    await dialog.getByLabel(/^Learning rate/).fill('much');
    expect(await button('Start').isDisabled()).toBe(true);
    await dialog.getByLabel(/^Learning rate/).fill('0.001');
    await dialog.getByLabel(/^Steps/).fill('3');
    await button('Start').click();
    await dialog.getByRole('progressbar', { name: 'Collecting' }).waitFor();
    await dialog.getByText(/^Done: 3 steps/).waitFor({ timeout: TEST_MS });
    expect(await dialog.getByRole('img', { name: /^Training loss/ }).getAttribute('aria-label')).toMatch(
      /at step 3 of 3/,
    );
    expect(await dialog.getByRole('row', { name: /after step 3/ }).innerText()).toMatch(/n = \d+ moves/);
    await button('Keep').click();
    await dialog.getByText(/trained on this session/).waitFor();
    expect(complaints).toEqual([]);
  },
  TEST_MS,
);

it(
  'exports weights that the reader takes, refuses others by name, survives a reload, and goes back',
  async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), button(/^Export/).click()]);
    const path = await download.path();
    const bytes = new Uint8Array(readFileSync(path)).buffer;
    expect(SafetensorsFile.parse(bytes, 'exported').shape('head.weight')).toEqual([1, 128]);

    const gistNet = join(ROOT, 'models/tiny/gistnet.safetensors');
    await dialog.getByLabel('Weight file').setInputFiles(gistNet);
    await dialog
      .getByText(/gistnet\.safetensors, tensor .* is missing/)
      .first()
      .waitFor();
    await page.reload();
    await isIdle();
    await page.keyboard.press('Shift+N');
    await dialog.getByText(/comes back after a reload/).waitFor();
    await button(/model’s own again/).click();
    await dialog.getByText('The model’s own LensNet.').waitFor();
    await dialog.getByLabel('Weight file').setInputFiles(path);
    await dialog.getByText(/that was imported/).waitFor();
    expect(complaints).toEqual([]);
  },
  TEST_MS,
);

it(
  'takes the same gradient on WebGPU as on WASM',
  async () => {
    const gradientOn = (backend: string): Promise<Record<string, number[]>> =>
      page.evaluate(
        `import('/tests/browser/lens-training-page.ts').then((module) => module.gradientOn('${backend}'))`,
      );
    const [wasm, webgpu] = [await gradientOn('wasm'), await gradientOn('webgpu')];
    expect(Object.keys(webgpu)).toEqual(Object.keys(wasm));
    for (const [name, values] of Object.entries(wasm)) {
      const error = Math.max(...values.map((value, i) => Math.abs(value - webgpu[name]![i]!)));
      expect(error, name).toBeLessThan(1e-4);
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true);
    }
  },
  TEST_MS,
);
