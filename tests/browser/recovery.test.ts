/** What becomes of a session when its GPU, its tab or the whole of what the browser stored is gone. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, reachStep } from './open-page.ts';
import type { AnswerReport, AnswerRequest } from './recovery-page.ts';

const SOON_MS = 120_000;
/** What becomes of the GPU; that its memory runs out is tried in the full run. */
const FAULTS: readonly ('destroy' | 'starve')[] =
  process.env['FULL_TEST'] === '1' ? ['destroy', 'starve'] : ['destroy'];

let vite: RunningVite;
let browser: Browser;

beforeAll(async () => {
  vite = await startVite('recovery');
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

// A device in software compiles every kernel anew for each worker.
describe('fault 13: a device that is lost while an answer is decoded', { timeout: 600_000 }, () => {
  let page: Page;
  let calm: AnswerReport;

  function answer(fault: AnswerRequest['fault']): Promise<AnswerReport> {
    const config = { policy: 'recency', refineSteps: 0, seed: 7, temperature: 1, maxNewTokens: 8 };
    // Less than a block: neither GistNet nor LensNet is asked.
    const request = { text: 'The lantern of Mara is amber.', question: 'Who has a lantern?', config, fault };
    return page.evaluate(
      `import('/tests/browser/recovery-page.ts').then((module) => module.answerOnGpu(${JSON.stringify(request)}))`,
    );
  }

  beforeAll(async () => {
    page = await browser.newPage();
    await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
    calm = await answer(null);
  }, 600_000);

  afterAll(() => page.context().close());

  it.each(FAULTS)('resumes with identical tokens (%s)', async (fault) => {
    expect(calm).toMatchObject({ problems: [], restarts: 0 });
    expect(calm.tokenIds.length).toBeGreaterThan(3);
    const lost = await answer(fault);
    expect(lost).toMatchObject({ problems: ['device-lost'], restarts: 1 });
    expect(lost.tokenIds).toEqual(calm.tokenIds);
    expect(lost.answer).toEqual(calm.answer);
  });
});

async function openLive(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(SOON_MS);
  await page.goto(vite.url);
  await page.getByRole('button', { name: /^Model: / }).waitFor();
  return page;
}

describe('a session in two tabs', () => {
  it('is followed by the second, which writes it once the first one crashed', async () => {
    const { page: first, context } = await openPage(browser, { timeoutMs: SOON_MS });
    await first.goto(vite.url);
    await reachStep(first, 2, SOON_MS);
    const second = await openLive(context);
    const banner = second.getByText(/open in another tab, which writes it/);
    await banner.waitFor();
    const stepsOf = async (page: Page) =>
      Number(await page.getByLabel('Step', { exact: true }).getAttribute('max'));
    const seen = await stepsOf(second);
    await expect.poll(() => stepsOf(second), { timeout: SOON_MS }).toBeGreaterThan(seen);
    const devtools = await context.newCDPSession(first);
    devtools.send('Page.crash').catch(() => undefined);
    await banner.waitFor({ state: 'detached' });
    await second.getByLabel('Your question').fill('Who keeps the log?');
    await second.keyboard.press('Enter');
    await second.getByRole('article', { name: 'Model', exact: true }).waitFor();
    await context.close();
  });
});

describe('fault 12: an origin that the browser evicted', () => {
  it('is noticed at the next visit, which begins anew', async () => {
    const { page, context } = await openPage(browser, { timeoutMs: SOON_MS });
    await page.goto(vite.url);
    await reachStep(page, 2, SOON_MS);
    await page.goto(`${vite.url}/public/favicon.svg`);
    const devtools = await context.newCDPSession(page);
    // What eviction takes: databases and files, and not the page's small notes.
    await devtools.send('Storage.clearDataForOrigin', {
      origin: vite.url,
      storageTypes: 'indexeddb,file_systems,cache_storage,service_workers',
    });
    await page.goto(vite.url);
    await page.getByText('The browser cleared what this page had stored').waitFor();
    await reachStep(page, 1, SOON_MS);
    await page.reload();
    await page.getByRole('button', { name: /^Model: / }).waitFor();
    await reachStep(page, 1, SOON_MS);
    expect(await page.getByText('The browser cleared what this page had stored').count()).toBe(0);
    await context.close();
  });
});
