/** Opens pages as browser tests look at them: a profile of its own each, and everything that the console said kept. */
import { createRequire } from 'node:module';
import type Axe from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Warnings, errors and uncaught exceptions. */
  readonly complaints: readonly string[];
}

interface PageOptions extends BrowserContextOptions {
  /** How long anything on the page may take. */
  readonly timeoutMs: number;
  /** A first visit plays the recorded example and offers the tour; otherwise the live session stands there at once. */
  readonly isFirstVisit?: boolean;
}

/** An empty page at 1440 × 900 unless said otherwise; the caller goes somewhere, and closes the context. */
export async function openPage(
  browser: Browser,
  { timeoutMs, isFirstVisit = false, ...options }: PageOptions,
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  if (!isFirstVisit) {
    await context.addInitScript(() => {
      localStorage.setItem('megacontext-playground.visited', 'yes');
    });
  }
  const page = await context.newPage();
  page.setDefaultTimeout(timeoutMs);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, context, complaints };
}

/** Of the page's links (`src/ui/features/share/link-state.ts`): one of an unknown version names nothing. */
const LINK_VERSION = 2;

/** Where a page opens a session that its browser stored. @param url - of the page, without a last slash. */
export function sessionAddress(url: string, sessionId: string): string {
  return `${url}/#v=${LINK_VERSION}&session=${sessionId}`;
}

/** Wait until the run on the page has this many steps. */
export async function reachStep(page: Page, steps: number, timeoutMs?: number): Promise<void> {
  await page.waitForFunction(
    (least) => Number(document.querySelector<HTMLInputElement>('input[aria-label="Step"]')?.max) >= least,
    steps,
    timeoutMs === undefined ? {} : { timeout: timeoutMs },
  );
}

/** Stop the running ingestion by its key, and wait until it stands. */
export async function pauseIngestion(page: Page): Promise<void> {
  await page.keyboard.press('r');
  await page.getByRole('button', { name: /^Run/ }).first().waitFor();
}

/** Run a command by its title, by keys. */
export async function runPaletteCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Command' }).fill(title);
  await page.keyboard.press('Enter');
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe calls serious or critical on the page as it stands, with the elements. */
export async function seriousIssues(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof Axe };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}
