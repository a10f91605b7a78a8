/** Heads on the page: the recorded example with four of them, and the live session with as many. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runPaletteCommand, seriousIssues } from './open-page.ts';
import { openPausedExample, type PausedExample, SOON_MS, STARTED_MS } from './paused-example.ts';

let example: PausedExample;
let page: Page;

beforeAll(async () => {
  example = await openPausedExample('heads');
  ({ page } = example);
}, STARTED_MS + SOON_MS);

afterAll(() => example.close());

afterEach(() => {
  expect(example.complaints).toEqual([]);
});

const lanes = () => page.getByRole('region', { name: 'Heads at the shown step' });
const lane = (name: string | RegExp) => lanes().getByRole('button', { name });
const words = () => lanes().locator('.head-lanes-words').innerText();

describe('the live session', () => {
  it(
    'has no lanes while it has one head, and one each once it has four',
    { timeout: 4 * SOON_MS },
    async () => {
      expect(await lanes().count()).toBe(0);
      // Its label ends in its symbol.
      const heads = page.getByLabel(/^Heads\s*H/).and(page.locator('input[type="text"]'));
      await heads.first().fill('4');
      await page.keyboard.press('Enter');
      await page.getByLabel('Your question').fill('What does a wig cost at Rosen?');
      await page.getByLabel('Your question').press('Enter');
      await page.getByRole('article', { name: 'Model', exact: true }).first().locator('footer').waitFor();
      for (const head of [0, 1, 2, 3]) await lane(new RegExp(`^Head ${head}, `)).waitFor();
      expect(await words()).toMatch(/^Heads 0, 1, 2, 3 of 4 read \(static, confidence 100%\)/);
    },
  );

  it('reads one head alone, and all of them again', { timeout: 4 * SOON_MS }, async () => {
    const muted = page.getByLabel('Muted heads', { exact: true });
    await lanes().getByRole('button', { name: 'Read head 2 alone' }).click();
    await expect.poll(() => muted.inputValue(), { timeout: SOON_MS }).toBe('0,1,3');
    await lanes().getByRole('button', { name: 'Read head 2 alone' }).click();
    await expect.poll(() => muted.inputValue(), { timeout: SOON_MS }).toBe('');
    await lanes().getByRole('button', { name: 'Leave head 1 out' }).click();
    await expect.poll(() => muted.inputValue(), { timeout: SOON_MS }).toBe('1');
  });

  it('shows another head’s working context below', { timeout: SOON_MS }, async () => {
    await lane(/^Head 3, /).click();
    expect(await lane(/^Head 3, /).getAttribute('aria-pressed')).toBe('true');
    await page.getByText('/ 256 slots').waitFor();
  });

  it('has nothing that assistive technology stumbles over', { timeout: SOON_MS }, async () => {
    expect(await seriousIssues(page)).toEqual([]);
  });
});

describe('the recorded example', () => {
  it('plays four heads without asking the model', { timeout: 2 * SOON_MS }, async () => {
    await runPaletteCommand(page, 'Play the recorded example with four heads');
    await page.getByText('four-heads.trace.jsonl.gz').first().waitFor();
    await page.keyboard.press('End');
    await lane(/^Head 3, part/).waitFor();
    expect(await words()).toMatch(/Overlap \d+% on average/);
  });
});
