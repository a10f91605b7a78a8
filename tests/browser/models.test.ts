/** A model's whole way in the page: looked at, fetched, paused, gone on with after a reload, run offline, deleted. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPublishedTiny, createTestHub, type TestHub } from '../../src/runtime/testing/test-hub.ts';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { type OpenPage, openPage, runPaletteCommand, seriousIssues } from './open-page.ts';

const SOON_MS = 100_000;

let vite: RunningVite;
let browser: Browser;
let hub: TestHub;
let server: Server;

beforeAll(async () => {
  vite = await startVite('models');
  browser = await launchChromium();
  hub = createTestHub(createPublishedTiny());
  server = createServer((request, response) => {
    hub.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await browser.close();
  await vite.close();
});

const endpointOf = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function whenReady(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Model: / }).waitFor();
}

async function openModels(page: Page): Promise<void> {
  await runPaletteCommand(page, 'Models');
  await page.getByRole('dialog', { name: 'Models' }).waitFor();
}

describe('a model from the hub', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage(browser, { timeoutMs: SOON_MS });
    await open.page.goto(vite.url);
    await whenReady(open.page);
  });

  afterAll(() => open.context.close());

  afterEach(() => {
    expect(open.complaints).toEqual([]);
  });

  it('is described before it is fetched', async () => {
    const { page } = open;
    await openModels(page);
    await page.getByText('Fetch from huggingface.co').click();
    await page.getByLabel('Address of the hub or a mirror').fill(endpointOf());
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByLabel('Repository').fill('org/tiny');
    await page.getByLabel('Repository').press('Enter');
    const choice = page.getByRole('region', { name: 'Chosen: org/tiny' });
    await choice.getByText('It will run here.').waitFor();
    const facts = await choice.innerText();
    for (const fact of ['apache-2.0', 'Llama,', 'tokens a second', 'MB']) expect(facts).toContain(fact);
    expect(await seriousIssues(page)).toEqual([]);
  });

  it('is fetched, paused, and goes on after a reload where it was', async () => {
    const { page } = open;
    hub.holdsAfter = 1_500_000;
    await page.getByRole('button', { name: /^Fetch .* and keep it here$/ }).click();
    await hub.whenHeld();
    // The files before the weights are smaller than what was held back of these.
    const bar = page.getByRole('progressbar', { name: 'Fetching org/tiny' });
    await expect
      .poll(async () => Number(await bar.getAttribute('value')), { timeout: SOON_MS })
      .toBeGreaterThan(1_000_000);
    await page.getByRole('button', { name: 'Pause', exact: true }).last().click();
    const resume = page.getByRole('button', { name: 'Go on fetching org/tiny' });
    await resume.waitFor();
    await page.reload();
    await whenReady(page);
    await openModels(page);
    await resume.waitFor();
    hub.holdsAfter = null;
    await resume.click();
    await page.getByRole('region', { name: 'Chosen: org/tiny' }).getByText('It will run here.').waitFor();
    expect(hub.ranges.filter((range) => range?.endsWith('-') === true)).toHaveLength(1);
  });

  it('runs in a session of its own, and after a reload without the hub', async () => {
    const { page } = open;
    await page.getByRole('button', { name: 'Load it, in a new session' }).click();
    await page.getByRole('dialog', { name: 'Models' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Session: Session with org/tiny' }).waitFor();
    // The address names the session a moment later.
    await expect.poll(() => page.url(), { timeout: SOON_MS }).toContain('org-tiny');
    const asked = hub.asked.length;
    await page.reload();
    await page.getByRole('button', { name: 'Model: org/tiny' }).waitFor();
    await page.getByRole('button', { name: 'Session: Session with org/tiny' }).waitFor();
    expect(hub.asked).toHaveLength(asked);
    await page.getByRole('button', { name: 'Model: org/tiny' }).click();
    await page.getByText(/Without trained heads/).waitFor();
    await page.keyboard.press('Escape');
  });

  it('is deleted, and its session says what has to be fetched', async () => {
    const { page } = open;
    await openModels(page);
    await page.getByRole('button', { name: 'Go back to the embedded model' }).click();
    await page.getByText('Tiny harbour base runs now').waitFor();
    await page.getByRole('button', { name: 'Delete org/tiny' }).click();
    await page.getByRole('button', { name: 'Delete org/tiny from this browser' }).click();
    await page.getByText('Nothing yet.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Session: / }).click();
    await page.getByRole('button', { name: /^Session with org\/tiny/ }).click();
    const missing = page.getByRole('status', { name: 'Missing model' });
    await missing.waitFor();
    expect(await missing.innerText()).toContain(`Fetch it from org/tiny@${hub.commit}`);
    await page.getByRole('button', { name: /^Fetch .* and keep it here$/ }).waitFor();
  });
});

describe('files from disk', () => {
  it('are a model wherever they are dropped, and are there after a reload if they are kept', async () => {
    const { page, context, complaints } = await openPage(browser, { timeoutMs: SOON_MS });
    await page.goto(vite.url);
    await whenReady(page);
    const files = [...createPublishedTiny()].map(([name, bytes]) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(bytes),
    }));
    await page.getByLabel('Files to add').setInputFiles(files);
    const choice = page.getByRole('region', { name: 'Chosen: Chosen folder' });
    await choice.getByText('It will run here.').waitFor();
    await choice.getByRole('button', { name: 'Load it, in a new session' }).click();
    await page.getByRole('dialog', { name: 'Models' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Model: Chosen folder' }).waitFor();
    await page.getByLabel('Your question').fill('Which smell hangs about the Alder brewery?');
    await page.keyboard.press('Enter');
    await page.getByRole('article', { name: 'Model', exact: true }).waitFor();
    // The address names the session a moment later.
    await expect.poll(() => page.url(), { timeout: SOON_MS }).toMatch(/model=(?!tiny)/);
    await page.reload();
    await page.getByRole('button', { name: 'Model: Chosen folder' }).waitFor();
    await page.getByRole('article', { name: 'Model', exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('says what is wrong with them, on a phone too', async () => {
    const { page, context } = await openPage(browser, {
      timeoutMs: SOON_MS,
      viewport: { width: 390, height: 844 },
    });
    await page.goto(vite.url);
    await whenReady(page);
    await openModels(page);
    await page.getByLabel('GGUF file').setInputFiles({
      name: 'cut.gguf',
      mimeType: 'application/octet-stream',
      buffer: Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(16, 1)]),
    });
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.innerText()).toMatch(/cut\.gguf/);
    expect(await seriousIssues(page)).toEqual([]);
    await context.close();
  });
});
