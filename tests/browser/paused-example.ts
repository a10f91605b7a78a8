/** The example as a page shows it once its window is full and the allocator had to choose, standing still. */
import type { Page } from 'playwright-core';
import { launchChromium, startVite } from './launch-chromium.ts';
import { openPage, pauseIngestion, reachStep } from './open-page.ts';

export const SOON_MS = 120_000;
/** Until the example has some tokens on a slow and busy machine. */
export const STARTED_MS = 300_000;
const STEPS_WANTED = 40;

export interface PausedExample {
  readonly page: Page;
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** @param name - of the test, which has a server of its own. */
export async function openPausedExample(name: string): Promise<PausedExample> {
  const vite = await startVite(name);
  const browser = await launchChromium();
  const { page, complaints } = await openPage(browser, { timeoutMs: SOON_MS });
  await page.goto(vite.url);
  await reachStep(page, STEPS_WANTED, STARTED_MS);
  await pauseIngestion(page);
  return {
    page,
    complaints,
    close: async () => {
      await browser.close();
      await vite.close();
    },
  };
}
