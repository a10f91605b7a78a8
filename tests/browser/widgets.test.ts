/** What opens, closes and moves on the page, as pointers and keys meet it. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage } from './open-page.ts';

/** Until the page is there, on a slow and busy machine. */
const SLOW_MS = 180_000;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('widgets');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SLOW_MS }));
  await page.goto(vite.url, { timeout: SLOW_MS, waitUntil: 'commit' });
  await button(/^Storage: /).waitFor();
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

const button = (name: RegExp): Locator => page.getByRole('button', { name });
const focusedLabel = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));

it('opens a popover under its button; Escape and a click outside close it', async () => {
  const storage = page.getByRole('dialog', { name: /^Storage: / });
  await button(/^Storage: /).click();
  await storage.waitFor();
  const [opener, panel] = [await button(/^Storage: /).boundingBox(), await storage.boundingBox()];
  expect(panel!.y).toBeGreaterThanOrEqual(opener!.y + opener!.height);
  expect(panel!.x).toBeCloseTo(opener!.x, 0);
  await page.keyboard.press('Tab');
  expect(await focusedLabel()).toMatch(/^Storage: /);
  await page.keyboard.press('Escape');
  await storage.waitFor({ state: 'hidden' });
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BUTTON');

  await button(/^Storage: /).click();
  await storage.waitFor();
  await page.mouse.click(720, 400);
  await storage.waitFor({ state: 'hidden' });
  expect(await button(/^Storage: /).getAttribute('aria-expanded')).toBe('false');
});

it('walks tabs by keys, around their ends, and leaves one of them in the tab order', async () => {
  const tab = (name: string) => page.getByRole('tab', { name });
  await tab('Chat').click();
  for (const [key, shown] of [
    ['ArrowRight', 'Inspector'],
    ['ArrowRight', 'Chat'],
    ['ArrowLeft', 'Inspector'],
    ['Home', 'Chat'],
    ['End', 'Inspector'],
  ] as const) {
    await page.keyboard.press(key);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(shown);
    await page.getByRole('tabpanel', { name: shown }).waitFor();
  }
  expect(await page.getByRole('tab').evaluateAll((tabs) => tabs.map((each) => each.tabIndex))).toEqual([
    -1, 0,
  ]);
});

it('moves a splitter by keys and pointer, within its limits', async () => {
  const splitter = page.getByRole('separator', { name: 'Width of the setup panel' });
  const width = async () => Number(await splitter.getAttribute('aria-valuenow'));
  const before = await width();
  await splitter.focus();
  await page.keyboard.press('ArrowRight');
  expect(await width()).toBe(before + 16);
  const box = (await splitter.boundingBox())!;
  await page.mouse.move(box.x, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x - 2000, box.y + 200);
  await page.mouse.up();
  expect(await width()).toBe(Number(await splitter.getAttribute('aria-valuemin')));
  await page.mouse.move(box.x + 300, box.y + 200);
  expect(await width()).toBe(Number(await splitter.getAttribute('aria-valuemin')));
});

it('says that a dialog’s code could not be fetched, and fetches it the next time', async () => {
  expect(complaints).toEqual([]);
  await page.route('**/evaluate-dialog.tsx*', (route) => route.abort());
  await page.keyboard.press('Shift+E');
  const problems = page.getByRole('region', { name: 'Problems' });
  await problems.getByText('The dialog could not be shown').waitFor();
  await page.unroute('**/evaluate-dialog.tsx*');
  await page.keyboard.press('Shift+E');
  await page.getByRole('dialog', { name: 'Evaluate' }).waitFor();
});
