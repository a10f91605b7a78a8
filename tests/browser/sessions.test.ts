/** Sessions as a user keeps them: found, named, tagged, copied, deleted and taken back, by keyboard and on a small screen. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage } from './open-page.ts';

const SOON_MS = 60_000;
const STARTED_MS = 200_000;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('sessions');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, { timeoutMs: SOON_MS }));
  await page.goto(vite.url);
  await page
    .getByRole('button', { name: /^Pause/ })
    .first()
    .waitFor({ timeout: STARTED_MS });
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

const dialog = () => page.getByRole('dialog', { name: 'Sessions', exact: true });
const kept = () => dialog().getByRole('list', { name: 'Kept sessions' }).getByRole('listitem');
const status = (words: string) => dialog().getByText(words, { exact: true }).waitFor();

it('renames, tags, finds, duplicates, deletes and takes back a session, by keyboard', async () => {
  await page.evaluate(() => {
    document.body.focus();
  });
  await page.keyboard.press('Shift+O');
  await kept().first().waitFor();
  expect(await kept().count()).toBe(1);
  await kept()
    .getByRole('button', { name: /^Rename/ })
    .press('Enter');
  await page.keyboard.type('Harbour');
  await page.keyboard.press('Enter');
  await kept().getByRole('button', { name: 'Add a tag to Harbour', exact: true }).press('Enter');
  await page.keyboard.type('prose');
  await page.keyboard.press('Enter');
  await kept().getByRole('button', { name: 'Take the tag prose from Harbour', exact: true }).waitFor();
  await kept().getByRole('button', { name: 'Duplicate Harbour', exact: true }).press('Enter');
  await expect.poll(() => kept().count(), { timeout: SOON_MS }).toBe(2);
  const search = dialog().getByRole('searchbox', { name: 'Search the sessions' });
  await search.fill('copy PROSE');
  await status('1 of 2 sessions');
  await search.fill('');
  await dialog().getByRole('group', { name: 'Only with the tag' }).getByRole('button').press('Enter');
  await status('2 sessions');
  await kept().getByRole('button', { name: 'Delete Harbour, copy', exact: true }).press('Enter');
  await expect.poll(() => kept().count(), { timeout: SOON_MS }).toBe(1);
  await dialog().getByRole('button', { name: 'Deleted (1)', exact: true }).press('Enter');
  await dialog().getByRole('button', { name: 'Restore', exact: true }).press('Enter');
  await dialog().getByRole('button', { name: 'Deleted (0)', exact: true }).waitFor();
  await dialog().getByRole('button', { name: 'Kept (2)', exact: true }).press('Enter');
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
});

it('fits a small screen, undoes a deletion at once, and leaves what another tab writes alone', async () => {
  const second = await page.context().newPage();
  second.setDefaultTimeout(SOON_MS);
  await second.setViewportSize({ width: 390, height: 844 });
  await second.goto(vite.url);
  await second.getByRole('button', { name: /^Session: Harbour/ }).waitFor({ timeout: STARTED_MS });
  await second.evaluate(() => {
    document.body.focus();
  });
  await second.keyboard.press('Shift+O');
  const list = second.getByRole('list', { name: 'Kept sessions' });
  const rows = list.getByRole('listitem');
  await expect.poll(() => rows.count(), { timeout: SOON_MS }).toBe(2);
  const overflow = await list.evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await rows.getByRole('button', { name: 'Delete Harbour, copy', exact: true }).click();
  await expect.poll(() => rows.count(), { timeout: SOON_MS }).toBe(1);
  await rows.getByRole('button', { name: 'Delete Harbour', exact: true }).click();
  await second.getByText('“Harbour” could not be deleted').waitFor();
  expect(await rows.count()).toBe(1);
  await second.keyboard.press('Escape');
  await second.getByRole('button', { name: 'Undo', exact: true }).click();
  await second.keyboard.press('Shift+O');
  await expect.poll(() => rows.count(), { timeout: SOON_MS }).toBe(2);
  await second.close();
});
