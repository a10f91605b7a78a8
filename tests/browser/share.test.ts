/** What leaves the page and comes back: links, exports in every format, and traces opened without their session. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { type OpenPage, openPage, reachStep, runPaletteCommand } from './open-page.ts';

/** On a slow and busy machine a model takes minutes to load. */
const SOON_MS = 280_000;
const TEST_MS = 580_000;

let vite: RunningVite;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  vite = await startVite('share');
  browser = await launchChromium();
  folder = await mkdtemp(join(tmpdir(), 'share-test-'));
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

async function openAt(address = ''): Promise<OpenPage> {
  const opened = await openPage(browser, { timeoutMs: SOON_MS, acceptDownloads: true });
  await opened.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await opened.page.goto(`${vite.url}/${address}`);
  return opened;
}

const stepText = (page: Page) => page.locator('.scrubber output').innerText();
const slider = (page: Page) => page.getByLabel('Step', { exact: true });
const problems = (page: Page) => page.getByRole('region', { name: 'Problems' });

async function download(page: Page, title: string): Promise<{ name: string; bytes: Buffer; path: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), runPaletteCommand(page, title)]);
  const path = join(folder, file.suggestedFilename());
  await file.saveAs(path);
  return { name: file.suggestedFilename(), bytes: readFileSync(path), path };
}

async function openTrace(page: Page, path: string): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    runPaletteCommand(page, 'Open a session or trace file'),
  ]);
  await chooser.setFiles(path);
}

describe('sharing', { timeout: TEST_MS }, () => {
  let first: OpenPage;
  let tracePath: string;
  let shownBlocks: string;

  beforeAll(async () => {
    first = await openAt();
    await reachStep(first.page, 16);
    await first.page.keyboard.press('r');
    await first.page.getByRole('button', { name: /^Run/ }).first().waitFor();
  });

  afterAll(() => first.context.close());

  it('saves the session as a file that opens in a fresh profile, with its text and steps', async () => {
    const { page } = first;
    const { name, path } = await download(page, 'Save the session as a file');
    expect(name).toMatch(/\.ctx$/);
    const steps = (await stepText(page)).split(' / ')[1];
    const other = await openAt();
    await reachStep(other.page, 1);
    await openTrace(other.page, path);
    await other.page.waitForFunction(
      (wanted) => document.querySelector('.scrubber output')?.textContent.endsWith(` / ${wanted}`),
      steps,
    );
    expect(await problems(other.page).innerText()).toBe('');
    expect(other.complaints).toEqual([]);
    await other.context.close();
  });

  it('copies a link that shows the same step, view and parameters in a fresh profile', async () => {
    const { page } = first;
    const threshold = page
      .getByLabel('Expand threshold', { exact: false })
      .and(page.locator('input[type="text"]'));
    await threshold.fill('0.35');
    await threshold.press('Enter');
    // A focused field would keep the keys to itself.
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('w');
    await page.keyboard.press('w');
    await page.keyboard.press('c');
    await page.locator('.track-headers button').nth(1).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await runPaletteCommand(page, 'Copy a link');
    await problems(page).getByText('Link copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/#v=2&model=tiny&session=.*&example=harbour-chronicle&step=\d+&tokens=/);
    expect(link).toContain('colour=score');
    expect(link).toContain('p.tauExpand=0.35');
    expect(link).toMatch(/tracks=swapRate\*\.utilisation\./);

    const other = await openAt(new URL(link).hash);
    await other.page.waitForFunction(
      (wanted) => document.querySelector('.scrubber output')?.textContent.startsWith(wanted),
      `${(await stepText(page)).split(' / ')[0]!} / `,
    );
    const again = other.page
      .getByLabel('Expand threshold', { exact: false })
      .and(other.page.locator('input[type="text"]'));
    expect(await again.inputValue()).toBe('0.35');
    const firstTrack = other.page.locator('.track-headers button').first();
    expect(await firstTrack.getAttribute('aria-label')).toMatch(/^Swaps: Swap rate, pinned/);
    const view = (hash: string) => {
      const fields = new URLSearchParams(hash.slice(1));
      fields.delete('session');
      return Object.fromEntries(fields);
    };
    // The address follows the page, which needs its session and the step before it can show either.
    await expect
      .poll(async () => view(await other.page.evaluate(() => location.hash)), { timeout: SOON_MS })
      .toEqual(view(new URL(link).hash));
    const session = new URLSearchParams(new URL(link).hash.slice(1)).get('session');
    await expect
      .poll(() => other.page.evaluate(() => location.hash), { timeout: SOON_MS })
      .not.toContain(session);
    expect(other.complaints).toEqual([]);
    await other.context.close();
  });

  it('explains a bad link in place, applies the good rest and goes on', async () => {
    const { page } = first;
    await page.evaluate(() => {
      location.hash = '#v=2&step=5&p.tauExpand=7&p.maxActions=3&block=1-5-37&colour=pink';
    });
    await expect
      .poll(() => problems(page).innerText(), { timeout: SOON_MS })
      .toMatch(/tauExpand = “7”.*block = “1-5-37”.*colour = “pink”/s);
    await expect.poll(() => stepText(page)).toMatch(/^5 \//);
    await expect.poll(() => page.evaluate(() => location.hash)).toContain('p.maxActions=3');
    await page.evaluate(() => {
      location.hash = '#v=99&step=9';
    });
    await expect.poll(() => problems(page).innerText()).toMatch(/newer version/);
    await expect.poll(() => stepText(page)).toMatch(/^5 \//);
  });

  it('exports the run in every format', async () => {
    const { page } = first;
    const steps = Number(await slider(page).getAttribute('max')) + 1;
    const trace = await download(page, 'Save the trace as a file');
    tracePath = trace.path;
    const lines = trace.bytes.toString().trimEnd().split('\n');
    expect(JSON.parse(lines[0]!)).toMatchObject({ format: 'megacontext-trace', modelId: 'tiny' });
    expect(lines.filter((line) => line.includes('"type":"refocus"'))).toHaveLength(steps);

    const zipped = await download(page, 'zipped');
    expect(zipped.name).toMatch(/\.jsonl\.gz$/);
    expect(gunzipSync(zipped.bytes).toString()).toBe(trace.bytes.toString());

    const csv = (await download(page, 'CSV')).bytes.toString().trimEnd().split('\r\n');
    expect(csv[0]).toMatch(/^step,head,timeMs,cursorTokens,/);
    expect(csv).toHaveLength(steps + 1);

    const perfetto = JSON.parse((await download(page, 'Perfetto')).bytes.toString()) as {
      traceEvents: { ph: string; name: string }[];
    };
    expect(perfetto.traceEvents.filter(({ ph, name }) => ph === 'C' && name === 'budget use')).toHaveLength(
      steps,
    );
    expect(perfetto.traceEvents.some(({ ph, name }) => ph === 'X' && name === 'score')).toBe(true);

    const svg = (await download(page, 'SVG')).bytes.toString();
    const parsed = await page.evaluate((text) => {
      const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
      return { tag: root.tagName, shapes: root.querySelectorAll('path').length, text: root.textContent };
    }, svg);
    expect(parsed.tag).toBe('svg');
    expect(parsed.shapes).toBeGreaterThan(20);
    expect(parsed.text).toContain('Budget');

    const png = (await download(page, 'PNG')).bytes;
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
    expect(png.length).toBeGreaterThan(20_000);
    await page.keyboard.press('t');
    shownBlocks = await page.getByRole('region', { name: 'Blocks of the shown step' }).innerText();
    expect(first.complaints).toEqual([]);
  });

  it('plays a trace from a file in a fresh profile, without model or session', async () => {
    const { page, context } = await openPage(browser, { timeoutMs: SOON_MS });
    // The model never arrives.
    await context.route('**/*.safetensors', () => {});
    await page.goto(vite.url);
    await page.getByRole('button', { name: /^Session/ }).click();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Open a session or trace…' }).click(),
    ]);
    await chooser.setFiles(tracePath);
    await page.getByText('Recorded:').waitFor();
    expect(await stepText(page)).toMatch(/^1 \//);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => stepText(page)).toMatch(/^5 \//);
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    expect(await table.innerText()).toBe(shownBlocks);
    await page.keyboard.press('t');
    await page.keyboard.press('Space');
    await expect.poll(() => stepText(page).then((text) => Number(text.split(' / ')[0]))).toBeGreaterThan(7);
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+D');
    await page.getByText('In a recording:').waitFor();
    await page.getByRole('button', { name: 'Back to the live session' }).click();
    await expect.poll(() => stepText(page)).toBe('no steps yet');
    await context.close();
  });

  it('says what is wrong with a broken, foreign or future trace and keeps working', async () => {
    const { page, complaints } = first;
    const lines = readFileSync(tracePath, 'utf8').trimEnd().split('\n');
    const write = (name: string, text: string) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };
    await openTrace(page, write('future.jsonl', '{"format":"megacontext-trace","version":99}\n'));
    await expect.poll(() => problems(page).innerText(), { timeout: SOON_MS }).toMatch(/version 99/);
    await openTrace(page, write('text.jsonl', 'hello\n'));
    // Its content is no trace: it may still be meant as a text, which its user says.
    const review = page.getByRole('dialog', { name: 'How is this file read?' });
    await review.getByText('text.jsonl').waitFor();
    await review.getByRole('button', { name: 'Leave out' }).click();
    await review.waitFor({ state: 'detached' });
    expect(await page.getByText('Recorded:').count()).toBe(0);

    const foreign = JSON.stringify({
      ...(JSON.parse(lines[0]!) as object),
      modelId: 'other',
      modelHash: 'x',
    });
    const half = Math.floor(lines.length / 2);
    const broken = [foreign, ...lines.slice(1, half), '{"type":"refocus"}', ...lines.slice(half)].join('\n');
    await openTrace(page, write('broken.jsonl', broken));
    await page.getByText('Made with another model, other').waitFor();
    await expect
      .poll(() => problems(page).innerText())
      .toMatch(new RegExp(`Line ${half + 1}.*refocus steps before`, 's'));
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => stepText(page)).toMatch(/^2 \//);
    await runPaletteCommand(page, 'Back from a recording');
    await page.getByText('Recorded:').waitFor({ state: 'detached' });
    expect(Number(await slider(page).getAttribute('max'))).toBeGreaterThanOrEqual(16);
    expect(complaints).toEqual([]);
  });
});
