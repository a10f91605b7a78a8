/** Threads in a real Chromium: the same logits, and the built page on a host that sends no headers. */
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage } from './open-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOON_MS = 60_000;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser.close());

describe('in a worker of a page with isolation headers', () => {
  let vite: RunningVite;

  beforeAll(async () => {
    vite = await startVite('threads');
  });

  afterAll(() => vite.close());

  it('one, two and three threads give the same logits to the bit', async () => {
    const results: { readonly reason: string; readonly bits: number }[] = [];
    for (const threads of [1, 2, 3]) {
      const page = await browser.newPage();
      await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
      await page.evaluate(`import('/tests/browser/peers-page.ts').then((module) => module.mountPeers())`);
      results.push(
        await page.evaluate(async (count) => {
          const reason = await window.peersPage!.openOurs(null, 300, count);
          const { bits } = await window.peersPage!.runOurs(270, 6, false);
          return { reason, bits };
        }, threads),
      );
      await page.close();
    }
    const [one, two, three] = results;
    expect(one!.reason).toContain('One thread');
    expect(two!.reason).toBe('2 threads share the work, as was chosen by hand.');
    expect(three!.reason).toBe('3 threads share the work, as was chosen by hand.');
    expect([two!.bits, three!.bits]).toEqual([one!.bits, one!.bits]);
    expect(one!.bits).not.toBe(0);
  });
});

/** What GitHub Pages does: files, and no header of ours. */
function serveWithoutHeaders(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname);
    const file = normalize(join(folder, path.endsWith('/') ? `${path}index.html` : path));
    if (!file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(server);
    });
  });
}

describe('the built page on a host without headers', () => {
  const outDir = mkdtempSync(join(tmpdir(), 'static-page-'));
  let server: Server;
  let url: string;

  beforeAll(async () => {
    const configFile = join(ROOT, 'vite.config.ts');
    await build({ root: ROOT, configFile, logLevel: 'error', build: { outDir, emptyOutDir: true } });
    server = await serveWithoutHeaders(outDir);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }, 600_000);

  afterAll(() => {
    server.close();
    rmSync(outDir, { recursive: true, force: true });
  });

  const badge = (page: Page) => page.getByRole('button', { name: /^Backend: WASM/ });

  async function answered(page: Page): Promise<string> {
    await page.getByLabel('Your question').fill('Who keeps the log?');
    await page.keyboard.press('Enter');
    const answer = page.getByRole('article', { name: 'Model', exact: true }).last();
    await answer.waitFor();
    return answer.innerText();
  }

  it('loads once more, is isolated, and runs the threads that are chosen', { timeout: 580_000 }, async () => {
    const { page, context, complaints } = await openPage(browser, { timeoutMs: SOON_MS });
    let loads = 0;
    page.on('domcontentloaded', () => loads++);
    await page.goto(url);
    await badge(page).waitFor();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(loads).toBe(2);
    await badge(page).click();
    await page.getByRole('combobox', { name: 'Threads' }).selectOption('2');
    await page.keyboard.press('Escape');
    await badge(page).click();
    await page.getByText('2 threads share the work, as was chosen by hand.').waitFor();
    await page.keyboard.press('Escape');
    expect(await answered(page)).not.toBe('');
    // Later visits are isolated at once, in a second tab, too.
    const second = await context.newPage();
    let secondLoads = 0;
    second.on('domcontentloaded', () => secondLoads++);
    await second.goto(url);
    await badge(second).waitFor({ timeout: SOON_MS });
    expect(await second.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(secondLoads).toBe(1);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('works on one thread where service workers are refused, and says why', async () => {
    const { page, context } = await openPage(browser, { timeoutMs: SOON_MS, serviceWorkers: 'block' });
    let loads = 0;
    page.on('domcontentloaded', () => loads++);
    await page.goto(url);
    await badge(page).waitFor();
    expect(loads).toBe(1);
    await badge(page).click();
    await page.getByText(/^One thread does the work because the page is not cross-origin isolated/).waitFor();
    await page.keyboard.press('Escape');
    expect(await answered(page)).not.toBe('');
    await context.close();
  });
});
