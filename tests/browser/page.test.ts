/** The page as a user meets it: the first minute, a question about something far back, a reload, and bad input. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { type OpenPage, openPage, reachStep, seriousIssues } from './open-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOON_MS = 60_000;
/** Ingesting the whole example, on a slow and busy machine. */
const INGEST_MS = 200_000;

let vite: RunningVite;
let browser: Browser;

beforeAll(async () => {
  vite = await startVite('page');
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

describe('the first session', () => {
  let open: OpenPage;

  beforeAll(async () => {
    // A recording in front would answer for the live session, which is what is looked at here.
    open = await openPage(browser, { timeoutMs: SOON_MS });
    await open.page.goto(vite.url);
  });

  afterAll(() => open.context.close());

  afterEach(() => {
    expect(open.complaints).toEqual([]);
  });

  it('opens on the example and shows the allocator at work', async () => {
    const { page } = open;
    await page
      .getByRole('button', { name: /^Pause/ })
      .first()
      .waitFor();
    await reachStep(page, 41);
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    await expect.poll(() => table.innerText(), { timeout: SOON_MS }).toMatch(/LOD1/);
    await page.keyboard.press('t');
  });

  it('takes another LensNet and KV mode while it runs, and shows what patching costs', async () => {
    const { page } = open;
    const choose = (name: string, value: string) => page.getByRole('combobox', { name }).selectOption(value);
    const measureEvery = async (refocuses: string): Promise<void> => {
      const field = page.getByRole('textbox', { name: /^Measure ΔNLL/ });
      await field.fill(refocuses);
      await field.press('Enter');
    };
    await choose('LensNet variant', 'transformer');
    await choose('KV mode', 'patch');
    await measureEvery('1');
    await page.getByRole('button', { name: 'Tracks', exact: true }).click();
    await page.getByRole('checkbox', { name: 'Extra NLL of the patched cache' }).check();
    await page.getByRole('button', { name: 'Pin Extra NLL of the patched cache' }).click();
    await page.keyboard.press('Escape');
    const track = page.locator('.track-headers > div', { hasText: 'Patch' });
    await expect.poll(() => track.innerText(), { timeout: SOON_MS }).toMatch(/[−-]?0\.\d{3}/);
    await measureEvery('0');
    await page.getByRole('button', { name: 'Tracks', exact: true }).click();
    await page.getByRole('button', { name: 'Restore the first arrangement' }).click();
    await page.keyboard.press('Escape');
    await choose('KV mode', 'exact');
    await choose('LensNet variant', 'default');
    await expect.poll(() => page.getByRole('button', { name: /^Reset \d/ }).count()).toBe(0);
  });

  it('has no serious accessibility issue', async () => {
    const { page } = open;
    expect(await seriousIssues(page)).toEqual([]);
  });

  it('answers a question about a fact that stands 10,000 tokens back', async () => {
    const { page } = open;
    await page.getByRole('combobox', { name: /^Ingest/ }).selectOption('0');
    await page.getByRole('button', { name: 'Nothing is queued' }).first().waitFor({ timeout: INGEST_MS });
    await page.getByLabel('Your question').fill('Which smell hangs about the Alder brewery?');
    await page.keyboard.press('Enter');
    const answer = page.getByRole('article', { name: 'Model' });
    await answer.waitFor();
    expect(await answer.innerText()).toContain('The Alder brewery smells of pepper.');
    expect(await answer.innerText()).toMatch(/expanded for this answer/);
  });

  it('comes back after a reload with history, trace and chat', async () => {
    const { page } = open;
    const steps = await page.getByLabel('Step', { exact: true }).getAttribute('max');
    await page.reload();
    await page.getByRole('article', { name: 'Model' }).waitFor();
    expect(await page.getByRole('article', { name: 'You' }).innerText()).toContain('Alder brewery');
    await expect
      .poll(() => page.getByLabel('Step', { exact: true }).getAttribute('max'), { timeout: SOON_MS })
      .toBe(steps);
  });

  it('refuses binary data and values out of range, and keeps what was there', async () => {
    const { page } = open;
    const problems = page.getByRole('region', { name: 'Problems' });
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256));
    await page.getByLabel('Files to add').setInputFiles({
      name: 'picture.bin',
      mimeType: 'application/octet-stream',
      buffer: bytes,
    });
    await expect.poll(() => problems.innerText(), { timeout: SOON_MS }).toMatch(/This is not text/);
    await page.getByLabel('Files to add').setInputFiles({
      name: 'empty.txt',
      mimeType: 'text/plain',
      buffer: Buffer.alloc(0),
    });
    await expect.poll(() => problems.innerText(), { timeout: SOON_MS }).toMatch(/There is no text in it/);
    expect(await page.getByRole('article', { name: 'Model' }).count()).toBe(1);

    const budget = page.getByRole('textbox', { name: 'Budget W_max' });
    const before = await budget.inputValue();
    await budget.fill('7');
    await budget.press('Enter');
    await expect.poll(() => budget.getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Budget slider', { exact: true }).focus();
    await budget.fill(before);
    await budget.press('Enter');
    await expect.poll(() => budget.getAttribute('aria-invalid')).toBe('false');
  });

  it('keeps a pasted megabyte beside the field, which stays empty', async () => {
    const { page } = open;
    const field = page.getByLabel('Text to add');
    await field.evaluate((element) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'The lamp is lit. '.repeat(60_000));
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      if (element.dispatchEvent(paste)) (element as HTMLTextAreaElement).value = 'pasted';
    });
    const chips = page.getByRole('list', { name: 'Pasted texts' });
    await chips.getByText('Pasted text, 1.0 MB').click();
    expect((await chips.locator('pre').innerText()).length).toBeLessThan(1000);
    expect(await field.inputValue()).toBe('');
    expect(await page.getByRole('button', { name: 'Add text' }).isEnabled()).toBe(true);
    await page.getByRole('button', { name: 'Remove the pasted text' }).click();
    await chips.waitFor({ state: 'detached' });
    expect(await page.getByRole('button', { name: 'Add text' }).isEnabled()).toBe(false);
  });

  it('opens read-only in a second tab, says so, and follows what the first one adds', async () => {
    const second = await open.context.newPage();
    await second.goto(vite.url);
    await second
      .getByText(/open in another tab/i)
      .first()
      .waitFor({ timeout: SOON_MS });
    await open.page.getByLabel('Text to add').fill('A note that came later.');
    await open.page.getByRole('button', { name: 'Add text' }).click();
    await second.getByRole('button', { name: /^A note that came later/ }).waitFor({ timeout: INGEST_MS });
    await second.close();
  });
});

it('names the corrupted weight file and stays usable', async () => {
  const { page, context } = await openPage(browser, { timeoutMs: SOON_MS, isFirstVisit: true });
  await context.route('**/lensnet.safetensors', async (route) => {
    const bytes = readFileSync(join(ROOT, 'models/tiny/lensnet.safetensors'));
    bytes[bytes.length - 1]! ^= 0xff;
    await route.fulfill({ body: bytes, contentType: 'application/octet-stream' });
  });
  await page.goto(vite.url);
  const problems = page.getByRole('region', { name: 'Problems' });
  await expect
    .poll(() => problems.innerText(), { timeout: SOON_MS })
    .toMatch(/lensnet\.safetensors.*SHA-256/s);
  await context.close();
});

it('plays and chats on a phone', async () => {
  const { page, context, complaints } = await openPage(browser, { timeoutMs: SOON_MS, isFirstVisit: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(vite.url);
  await page.getByRole('navigation', { name: 'Panels' }).waitFor();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
  await page.getByRole('navigation', { name: 'Panels' }).getByText('Chat').click();
  await page.getByLabel('Your question').fill('What does a wig cost at Rosen?');
  await page.getByRole('button', { name: /^Send/ }).click();
  await page.getByRole('article', { name: 'Model', exact: true }).locator('footer').waitFor();
  await page.getByRole('navigation', { name: 'Panels' }).getByText('Timeline').click();
  const step = page.getByLabel('Step', { exact: true });
  await step.fill('0');
  await page.getByRole('button', { name: /^Play the/ }).click();
  await expect.poll(async () => Number(await step.inputValue())).toBeGreaterThan(0);
  await page.getByRole('button', { name: /^Find a command/ }).click();
  await page.getByRole('option', { name: 'Compare two runs' }).click();
  await page.getByRole('dialog', { name: 'Compare two runs' }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
