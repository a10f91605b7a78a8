/**
 * One researcher's first half hour, in one go and by keys where there are keys: play, seek, zoom, read a reason,
 * steer, branch, compare, export, and open the trace and the link in fresh profiles.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, pauseIngestion, reachStep, runPaletteCommand } from './open-page.ts';

/** On a slow and busy machine a model takes minutes to load. */
const SOON_MS = 90_000;
const TEST_MS = 900_000;
/** The window is full, and its first blocks collapse, from step 32 on: a fast machine pauses as soon as it is asked. */
const STEPS = 40;

let vite: RunningVite;
let browser: Browser;
let folder: string;
/** Of every page that was opened. */
const complaints: (readonly string[])[] = [];

beforeAll(async () => {
  vite = await startVite('story');
  browser = await launchChromium();
  folder = await mkdtemp(join(tmpdir(), 'story-test-'));
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

/** The page as somebody sees it who was never there. */
async function freshProfile(address = ''): Promise<Page> {
  const opened = await openPage(browser, { timeoutMs: SOON_MS, isFirstVisit: true, acceptDownloads: true });
  await opened.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  complaints.push(opened.complaints);
  const { page } = opened;
  await page.goto(`${vite.url}/${address}`);
  return page;
}

const slider = (page: Page) => page.getByLabel('Step', { exact: true });
/** The slider follows the keys within an animation frame: the second one finds it there. */
async function stepOf(page: Page): Promise<number> {
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(resolve));
      }),
  );
  return Number(await slider(page).inputValue());
}
const inspector = (page: Page) => page.getByLabel('Selected block');

it(
  'plays, seeks, zooms, explains, steers, branches, compares, exports and shares',
  async () => {
    const page = await freshProfile();
    // Play: the recorded example runs at once, then the same session goes on live.
    await page.getByText('Recorded example.').waitFor();
    const began = await stepOf(page);
    await expect.poll(() => stepOf(page), { timeout: SOON_MS }).toBeGreaterThan(began);
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Close the tour' }).click();
    await page.getByText('The live session runs behind it.').waitFor();
    await page.getByRole('button', { name: 'To the live session' }).click();
    await page.getByText('Recorded example.').waitFor({ state: 'detached' });
    await reachStep(page, STEPS);
    await pauseIngestion(page);

    // Seek and zoom.
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Home');
    const first = await stepOf(page);
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => stepOf(page), { timeout: SOON_MS }).toBeGreaterThan(first + 5);
    for (const key of ['w', 'w', 'd', 's', '0', 'g']) await page.keyboard.press(key);
    await page.keyboard.press('.');
    const acted = await stepOf(page);

    // A reason: the next action's block says why it moved.
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    await table.getByRole('button', { name: 'LOD1', exact: true }).first().click();
    await page.keyboard.press('t');
    await inspector(page).getByRole('heading', { name: 'Gist, LOD1' }).waitFor();
    expect(await inspector(page).innerText()).toMatch(/score/i);

    // Steer, and take it back.
    await page.keyboard.press('End');
    await inspector(page).getByRole('button', { name: 'Expand' }).click();
    await inspector(page).getByRole('heading', { name: 'Raw tokens' }).waitFor();
    await inspector(page).getByRole('button', { name: /^Undo/ }).click();
    await inspector(page).getByRole('heading', { name: 'Gist, LOD1' }).waitFor();

    // Save, while it is still one run.
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      runPaletteCommand(page, 'Save the trace as a file'),
    ]);
    const path = join(folder, file.suggestedFilename());
    await file.saveAs(path);
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
    await runPaletteCommand(page, 'Copy a link');
    await page.getByText('Link copied').waitFor();
    // Only now: the slider follows the keys a frame later.
    const linked = await stepOf(page);
    const link = await page.evaluate(() => navigator.clipboard.readText());

    // Branch with another threshold, and compare.
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('b');
    const form = page.getByRole('dialog', { name: 'Branch from a step' });
    await form.getByLabel('From refocus step').fill(String(acted));
    const budget = form.getByRole('textbox', { name: 'Budget W_max' });
    await budget.fill('512');
    await budget.press('Tab');
    await form.getByRole('button', { name: 'Start the branch' }).click();
    await page.getByText(/^Branch of .* is complete/).waitFor();
    await page.getByRole('button', { name: 'Compare with the original' }).click();
    const compare = page.getByRole('dialog', { name: 'Compare two runs' });
    await compare.getByText(`They part at step ${acted + 1}`).waitFor();
    await compare.getByRole('row', { name: /^Budget 1,024/ }).waitFor();
    await page.keyboard.press('Escape');

    // Somebody else opens the trace, without the session.
    const reader = await freshProfile();
    await reader.getByRole('button', { name: 'Close the tour' }).click();
    const [chooser] = await Promise.all([
      reader.waitForEvent('filechooser'),
      runPaletteCommand(reader, 'Open a session or trace file'),
    ]);
    await chooser.setFiles(path);
    await reader.getByText('Recorded:').waitFor();
    await reader.locator('.timeline-overlay').focus();
    await reader.keyboard.press('Space');
    await expect.poll(() => stepOf(reader), { timeout: SOON_MS }).toBeGreaterThan(2);

    // And another the link.
    const follower = await freshProfile(new URL(link).hash);
    await expect.poll(() => stepOf(follower), { timeout: SOON_MS }).toBe(linked);
    expect(complaints.flat()).toEqual([]);
  },
  TEST_MS,
);
