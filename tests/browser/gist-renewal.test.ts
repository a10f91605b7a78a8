/** A session whose gists another GistNet made: they are made anew before one's eyes, and the session is used meanwhile. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite, WITHOUT_GPU } from './launch-chromium.ts';
import { openPage, sessionAddress } from './open-page.ts';

const SOON_MS = 60_000;
const TOKENS = 65_536;
const WORDS = Array.from({ length: 2000 }, (_, i) => (i * 37) % 700);

let vite: RunningVite;
let browser: Browser;

beforeAll(async () => {
  vite = await startVite('gist-renewal');
  browser = await launchChromium(WITHOUT_GPU);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

interface Renewal {
  readonly panel: Locator;
  /** Gists made anew so far, and all. */
  readonly standing: () => Promise<readonly [made: number, all: number]>;
}

function renewalOf(page: Page): Renewal {
  const panel = page.getByRole('group', { name: 'Gists of other weights', exact: true });
  const bar = panel.getByRole('progressbar', { name: 'Making gists anew', exact: true });
  return {
    panel,
    standing: () => bar.evaluate((element: HTMLProgressElement) => [element.value, element.max]),
  };
}

it('goes on where it was paused and where the page was left, and lets text be read meanwhile', async () => {
  const { page, context, complaints } = await openPage(browser, { timeoutMs: SOON_MS });
  const writer = await context.newPage();
  await writer.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
  // A script, not a function: vitest rewrites the imports of functions.
  const { id } = await writer.evaluate<{ readonly id: string }>(
    `import('/tests/browser/long-session-page.ts').then((module) => module.storeLongSession(${JSON.stringify(WORDS)}, ${TOKENS}, true))`,
  );
  await writer.close();
  await page.goto(sessionAddress(vite.url, id));
  const { panel, standing } = renewalOf(page);
  await panel.getByRole('button', { name: 'Pause making gists', exact: true }).click();
  await panel.getByRole('button', { name: 'Go on making gists', exact: true }).waitFor();
  const [paused, all] = await standing();
  expect(paused).toBeLessThan(all);

  await page.reload();
  await panel.waitFor();
  const [resumed] = await standing();
  expect(resumed).toBeGreaterThanOrEqual(paused);
  await expect.poll(async () => (await standing())[0]).toBeGreaterThan(resumed);

  await page.getByLabel('Text to add', { exact: true }).fill('Mara lit the lantern.');
  await page.getByRole('button', { name: 'Add text', exact: true }).click();
  await page.getByText('Mara lit the lantern', { exact: false }).first().waitFor();
  const [read] = await standing();
  expect(read).toBeLessThan(all);
  await panel.waitFor({ state: 'detached' });

  await page.reload();
  await page.getByText('Mara lit the lantern', { exact: false }).first().waitFor();
  expect(await panel.count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
}, 240_000);
