/** The built page under its Content Security Policy: nothing is refused, nothing is asked of strangers, and injected text is no code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PAGE_POLICY, SECURITY_HEADERS } from '../../tools/vite-csp-plugin.ts';
import { launchChromium } from './launch-chromium.ts';
import { type OpenPage, openPage, reachStep, runPaletteCommand } from './open-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOON_MS = 280_000;

const outDir = mkdtempSync(join(tmpdir(), 'built-page-'));
let server: PreviewServer;
let browser: Browser;
let url: string;
let open: OpenPage;
/** Every address that the page or one of its workers asked for. */
const asked: string[] = [];
/** What the policy refused, as the page and the console tell it. */
const refused: string[] = [];

beforeAll(async () => {
  const config = { root: ROOT, configFile: join(ROOT, 'vite.config.ts'), logLevel: 'error' } as const;
  await build({ ...config, build: { outDir, emptyOutDir: true } });
  server = await preview({ ...config, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
  url = server.resolvedUrls!.local[0]!;
  browser = await launchChromium();
  open = await openPage(browser, { timeoutMs: SOON_MS, acceptDownloads: true });
  const { page, context } = open;
  context.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?(Type|Script|HTML)/i.test(message.text()))
      refused.push(message.text());
  });
  await page.exposeFunction('tellRefusal', (what: string) => refused.push(what));
  await page.addInitScript(() => {
    document.addEventListener(
      'securitypolicyviolation',
      ({ effectiveDirective, blockedURI, sourceFile, sample }) => {
        const tell = (globalThis as unknown as { tellRefusal: (what: string) => void }).tellRefusal;
        tell(`${effectiveDirective}: ${blockedURI} (${sourceFile} ${sample})`);
      },
    );
  });
}, 600_000);

afterAll(async () => {
  await browser.close();
  await server.close();
  rmSync(outDir, { recursive: true, force: true });
});

async function download(page: Page, title: string): Promise<void> {
  const [file] = await Promise.all([page.waitForEvent('download'), runPaletteCommand(page, title)]);
  await file.path();
}

async function lookAt(page: Page, title: string): Promise<void> {
  await runPaletteCommand(page, title);
  const dialog = page.getByRole('dialog').last();
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

it('says its policy in the page itself, for hosts that send no headers', () => {
  const html = readFileSync(join(outDir, 'index.html'), 'utf8');
  const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html) ?? [];
  expect(policy?.replaceAll('&#39;', "'")).toBe(PAGE_POLICY);
  // The policy holds for what stands behind it.
  expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<script'));
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(SECURITY_HEADERS['Content-Security-Policy']).toContain(PAGE_POLICY);
  expect(PAGE_POLICY).not.toMatch(/script-src[^;]*('unsafe-inline'|'unsafe-eval'|https?:|\*)/);
});

it(
  'refuses nothing of what the page does, and asks nothing of any other host',
  { timeout: 580_000 },
  async () => {
    const { page } = open;
    const response = await page.goto(url);
    expect(response!.headers()).toMatchObject({
      'content-security-policy': SECURITY_HEADERS['Content-Security-Policy'],
      'x-content-type-options': 'nosniff',
    });
    await reachStep(page, 3, SOON_MS);
    await page.getByLabel('Your question').fill('Who keeps the log?');
    await page.keyboard.press('Enter');
    await page.getByRole('article', { name: 'Model', exact: true }).waitFor();
    for (const title of [
      'Evaluate policies on questions',
      'Train LensNet on this session',
      'Models: choose, fetch, delete',
      'Profile: where the time goes',
      'Compare two runs',
      'Keys and gestures',
    ]) {
      await lookAt(page, title);
    }
    for (const title of [
      'Save the trace as a zipped file',
      'Save the session as a file (.ctx)',
      'Save a picture of the timeline (PNG)',
      'Save a picture of the timeline (SVG)',
    ]) {
      await download(page, title);
    }
    expect(refused).toEqual([]);
    const { origin } = new URL(url);
    expect(asked.length).toBeGreaterThan(10);
    expect(
      asked.filter((address) => !address.startsWith(`${origin}/`) && !address.startsWith(`blob:${origin}/`)),
    ).toEqual([]);
  },
);

it.each([
  [
    'text to HTML',
    `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="globalThis.reached = 1">')`,
  ],
  ['text to a page', `new DOMParser().parseFromString('<p>text</p>', 'text/html')`],
  ['text to a script', `document.createElement('script').textContent = 'globalThis.reached = 1'`],
  ['text to a timer', `setTimeout('globalThis.reached = 1', 0)`],
  [
    'an address of another host to a script',
    `document.createElement('script').src = 'https://example.org/script.js'`,
  ],
  ['an address of another host to a worker', `new Worker('https://example.org/worker.js')`],
  ['text to a worker', `new Worker('data:text/javascript,1')`],
])('does not turn %s', async (_, attack) => {
  const { page } = open;
  const outcome = await page.evaluate<string>(
    `(() => { try { ${attack}; return 'done'; } catch (error) { return error.name; } })()`,
  );
  expect(outcome).toBe('TypeError');
  expect(await page.evaluate(() => 'reached' in globalThis)).toBe(false);
});
