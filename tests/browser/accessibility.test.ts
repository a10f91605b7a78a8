/**
 * axe over every dialog and panel, light and dark, wide and narrow. `SCREENSHOTS=folder` keeps a picture of each.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { openPage, pauseIngestion, reachStep, runPaletteCommand, seriousIssues } from './open-page.ts';

const SOON_MS = 60_000;
/** Until the example has some tokens on a slow and busy machine. */
const STARTED_MS = 200_000;
const STEPS_WANTED = 12;

const THEMES = ['light', 'dark'] as const;
const SIZES = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 390, height: 844 },
} as const;

let vite: RunningVite;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  vite = await startVite('accessibility');
  browser = await launchChromium();
  ({ page, complaints } = await openPage(browser, {
    timeoutMs: SOON_MS,
    viewport: SIZES.wide,
    reducedMotion: 'reduce',
  }));
  await page.goto(vite.url, { timeout: STARTED_MS });
  await reachStep(page, STEPS_WANTED, STARTED_MS);
  await pauseIngestion(page);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

afterEach(() => {
  expect(complaints).toEqual([]);
});

const command = (title: string) => runPaletteCommand(page, title);
const dialog = (name: string | RegExp) => page.getByRole('dialog', { name });
const isNarrow = () => page.viewportSize()!.width < 820;

/** Show a panel: a tab at the bottom where the page is narrow, a tab on the right or nothing to do where it is wide. */
async function panel(name: 'Timeline' | 'Chat' | 'Inspector' | 'Setup'): Promise<void> {
  if (isNarrow()) await page.getByRole('navigation', { name: 'Panels' }).getByText(name).click();
  else if (name === 'Chat' || name === 'Inspector') await page.getByRole('tab', { name }).click();
}

async function popover(button: RegExp): Promise<void> {
  await page.getByRole('button', { name: button }).click();
}

interface Place {
  readonly open: () => Promise<unknown>;
  /** Escape unless said otherwise. */
  readonly close?: () => Promise<unknown>;
}

const PLACES: Readonly<Record<string, Place>> = {
  timeline: { open: () => panel('Timeline') },
  chat: { open: () => panel('Chat') },
  setup: {
    open: async () => {
      await panel('Setup');
      const closed = page.locator('.side details:not([open]) > summary');
      while ((await closed.count()) > 0) await closed.first().click();
    },
  },
  inspector: {
    open: async () => {
      await panel('Timeline');
      await page.locator('.timeline-overlay').focus();
      await page.keyboard.press('Shift+D');
      await panel('Inspector');
      await page.getByLabel('Selected block').waitFor();
    },
  },
  table: {
    open: async () => {
      await panel('Timeline');
      await command('Show the step as a table');
      await page.getByRole('region', { name: 'Blocks of the shown step' }).waitFor();
    },
    close: () => command('Show the step as a table'),
  },
  explorer: {
    open: async () => {
      await command('Search the history');
      const explorer = page.getByRole('region', { name: 'Tree explorer' });
      await explorer.getByRole('searchbox').fill('harbour');
      await page.keyboard.press('Enter');
      await explorer.getByRole('region', { name: 'Search results' }).waitFor();
    },
    close: () => command('Show the tree explorer'),
  },
  tour: {
    open: async () => {
      await command('Take the tour');
      await dialog(/^Tour, step 1/).waitFor();
    },
  },
  help: {
    open: async () => {
      await command('Keys and gestures');
      await dialog('Keys and gestures').waitFor();
    },
  },
  definitions: {
    open: async () => {
      await panel('Setup');
      await page.getByRole('textbox', { name: 'Expand threshold τ_expand' }).focus();
      await page.getByRole('button', { name: 'Definition behind Expand threshold' }).click();
      await dialog('Definitions').getByText('Score and thresholds').waitFor();
    },
  },
  palette: {
    open: async () => {
      await page.keyboard.press('Control+k');
      await dialog('Find a command').waitFor();
    },
  },
  evaluate: {
    open: async () => {
      await command('Evaluate policies');
      await page.getByRole('button', { name: 'Run the evaluation' }).waitFor();
    },
  },
  'LensNet training': {
    open: async () => {
      await command('Train LensNet');
      await dialog(/LensNet/).waitFor();
    },
  },
  profile: {
    open: async () => {
      await command('Profile: where the time goes');
      await dialog('Profile').getByRole('button', { name: 'Everything', exact: true }).click();
      await dialog('Profile').getByRole('heading', { name: 'Operations' }).waitFor();
    },
  },
  tracks: { open: () => panel('Timeline').then(() => popover(/^Tracks$/)) },
  model: { open: () => popover(/^Model: /) },
  backend: { open: () => popover(/^Backend: /) },
  storage: { open: () => popover(/^Storage: /) },
  session: { open: () => popover(/^Session: /) },
  problem: {
    open: async () => {
      await page.evaluate(() => {
        location.hash = '#v=2&step=-1';
      });
      await page.getByRole('region', { name: 'Problems' }).getByText('A part of the link').waitFor();
    },
    close: () => page.getByRole('button', { name: /^Dismiss/ }).click(),
  },
};

describe.each(THEMES)('in %s', (colorScheme) => {
  describe.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('and %s', (size) => {
    beforeAll(async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(SIZES[size]);
    });

    it.each(Object.keys(PLACES))('%s has no serious issue', async (name) => {
      const { open, close = () => page.keyboard.press('Escape') } = PLACES[name]!;
      await open();
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined)
        await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png` });
      const issues = await seriousIssues(page);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      await close();
      await page.locator('dialog').waitFor({ state: 'detached' }); // it goes a moment after it has closed
      expect(issues).toEqual([]);
      expect(overflow).toBeLessThanOrEqual(0);
    });
  });
});
