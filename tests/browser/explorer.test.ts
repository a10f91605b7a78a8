/** The tree explorer and steering, as a user meets them: by keyboard, by search, by hand and back. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, pauseIngestion, reachStep } from './open-page.ts';

const SOON_MS = 60_000;
/** Until the example has some tokens on a slow and busy machine. */
const STARTED_MS = 200_000;
const STEPS_WANTED = 48;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('explorer');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SOON_MS }));
  await page.goto(vite.url);
  await page.evaluate(() => {
    document.body.focus();
  });
  await page
    .getByRole('button', { name: /^Pause/ })
    .first()
    .waitFor({ timeout: STARTED_MS });
  await reachStep(page, STEPS_WANTED, STARTED_MS);
  await pauseIngestion(page);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

afterEach(() => {
  expect(complaints).toEqual([]);
});

const tree = () => page.getByRole('tree', { name: /^Gist tree/ });
const explorer = () => page.getByRole('region', { name: 'Tree explorer' });
const focusedItem = () => page.locator('[role=treeitem][aria-selected=true]');
const inspector = () => page.getByLabel('Selected block');

async function expectFocused(words: RegExp): Promise<void> {
  await expect.poll(() => focusedItem().innerText(), { timeout: SOON_MS }).toMatch(words);
}

describe('the tree explorer', () => {
  it('is walked by keyboard, zooms in and out', async () => {
    await page.keyboard.press('e');
    await tree().focus();
    await page.keyboard.press('ArrowDown');
    await expectFocused(/^LOD2 gist, tokens 0–1,024/);
    await page.keyboard.press('ArrowDown');
    await expectFocused(/^LOD1 gist, tokens 0–32/);
    await page.keyboard.press('ArrowRight');
    await expectFocused(/^LOD1 gist, tokens 32–64/);
    await page.keyboard.press('ArrowDown');
    await expectFocused(/^Raw block, tokens 32–64/);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await expectFocused(/^LOD2 gist, tokens 0–1,024/);
    expect(await tree().getAttribute('aria-activedescendant')).toBe('tree-node-2-0');
    expect(await focusedItem().getAttribute('aria-expanded')).toBe('true');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await inspector().getByText('Gist, LOD2').waitFor();
  });

  it('finds words, and leads from what was found to the timeline', async () => {
    await page.keyboard.press('/');
    const field = explorer().getByRole('searchbox', { name: 'Search the history' });
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
    await field.fill('HARBOUR');
    await field.press('Enter');
    const results = explorer().getByRole('region', { name: 'Search results' });
    await results.getByText(/place/).waitFor();
    expect(await results.locator('mark').first().innerText()).toMatch(/^harbour$/i);
    await results.getByRole('button').first().click();
    await inspector().getByText('Raw tokens').waitFor();
    await explorer().getByRole('button', { name: 'Show in the timeline' }).click();
    await expect.poll(() => explorer().count()).toBe(0);
    await inspector()
      .locator('.block-text')
      .getByText(/harbour/i)
      .waitFor();
  });

  it('finds gists that are like a text, level by level', async () => {
    await page.keyboard.press('/');
    await explorer().getByRole('button', { name: 'Meaning' }).click();
    const results = explorer().getByRole('region', { name: 'Search results' });
    await results.getByText(/^Cosine to the mean embedding/).waitFor();
    const levels = await results.getByRole('heading').allInnerTexts();
    expect(levels.map((level) => level.trim())).toEqual(['LOD1', 'LOD2']);
  });

  it('lists nodes, filters and sorts them, and leads from one to its block', async () => {
    await explorer().getByRole('button', { name: 'Nodes', exact: true }).click();
    const list = page.getByRole('region', { name: 'List of nodes' });
    const rows = list.locator('tbody tr');
    await list.getByText(/^1–\d+ of [\d,]+ nodes/).waitFor();
    await list.getByLabel('Level', { exact: true }).selectOption({ label: 'LOD1' });
    await list.getByLabel('Accesses from', { exact: true }).fill('2');
    await list.getByText(/; the tree has/).waitFor();
    const accesses = list.getByRole('columnheader', { name: 'Accesses' });
    await accesses.getByRole('button').click();
    await expect.poll(() => accesses.getAttribute('aria-sort')).toBe('descending');
    const column = async () =>
      (await rows.locator('td:nth-child(4)').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
    await expect.poll(async () => (await column()).every((count) => count >= 2)).toBe(true);
    const counts = await column();
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    await rows.first().getByRole('button').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => rows.nth(1).getAttribute('aria-selected')).toBe('true');
    await inspector().getByText('Gist, LOD1').waitFor();
    await inspector().getByText('Span id').waitFor();
    const download = page.waitForEvent('download');
    await list.getByRole('button', { name: 'CSV', exact: true }).click();
    expect((await download).suggestedFilename()).toMatch(/-nodes\.csv$/);
    await list.getByRole('button', { name: 'Clear', exact: true }).click();
    await expect.poll(() => list.getByText(/; the tree has/).count()).toBe(0);
    await explorer().getByRole('button', { name: 'Nodes', exact: true }).click();
    await list.waitFor({ state: 'detached' });
  });
});

describe('steering', () => {
  it('names a block, forbids it, and takes both back', async () => {
    await tree().focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowUp');
    await expectFocused(/^(LOD1|LOD2) gist, tokens 0/);
    await inspector().getByLabel('Tag of this block').fill('the beginning');
    await inspector().getByLabel('Tag of this block').press('Enter');
    await expectFocused(/tagged the beginning/);
    await inspector().getByRole('button', { name: 'Forbid' }).click();
    await expectFocused(/forbidden to expand/);
    await inspector().getByRole('button', { name: 'Allow' }).waitFor();
    await tree().focus();
    await page.keyboard.press('Control+z');
    await inspector().getByRole('button', { name: 'Forbid' }).waitFor();
    await page.keyboard.press('Control+z');
    await expect.poll(() => focusedItem().innerText(), { timeout: SOON_MS }).not.toMatch(/tagged|forbidden/);
    await page.keyboard.press('Control+Shift+z');
    await expectFocused(/tagged the beginning/);
  });

  it('says what a move does to the next token and to a continuation, and undoes the move', async () => {
    await page.keyboard.press('e');
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    await table.getByRole('button', { name: 'LOD1', exact: true }).first().click();
    await page.keyboard.press('t');
    await inspector().getByLabel('Continuation', { exact: true }).locator('input').fill(' The harbour');
    await inspector().getByRole('button', { name: 'Score' }).click();
    await inspector()
      .getByText(/nats\/token over \d+ tokens/)
      .waitFor();
    await inspector().getByRole('button', { name: 'Expand' }).click();
    await inspector()
      .getByText(/ΔNLL .* since the block was expanded/s)
      .waitFor();
    await inspector().getByRole('heading', { name: 'Raw tokens' }).waitFor();
    await inspector().getByRole('button', { name: /^Undo/ }).click();
    await inspector()
      .getByText(/ΔNLL .* since the block was collapsed/s)
      .waitFor();
    await inspector().getByRole('heading', { name: 'Gist, LOD1' }).waitFor();
  });

  it('measures what a block’s detail is worth', async () => {
    await inspector().getByRole('button', { name: 'Measure' }).click();
    await inspector()
      .getByText(/The newest \d+ tokens cost/)
      .waitFor();
    await inspector().getByRole('button', { name: 'Measure again' }).waitFor();
  });
});
