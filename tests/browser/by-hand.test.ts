/** The page in real hands: documents hidden from focus, keys of an input method, foreign questions, reading above an answer. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPausedExample, type PausedExample, SOON_MS, STARTED_MS } from './paused-example.ts';

let example: PausedExample;
let page: Page;

beforeAll(async () => {
  example = await openPausedExample('by-hand');
  ({ page } = example);
}, STARTED_MS + SOON_MS);

afterAll(() => example.close());

afterEach(() => {
  expect(example.complaints).toEqual([]);
});

const field = () => page.getByLabel('Your question');
const questions = () => page.getByRole('article', { name: 'You', exact: true });
const answers = () => page.getByRole('article', { name: 'Model', exact: true });
const documents = () => page.getByRole('region', { name: 'Documents' });
const button = (name: string | RegExp) => page.getByRole('button', { name });

describe('a document', () => {
  it('is hidden from focus, stays so after a reload, and comes back', async () => {
    const row = documents().locator('.provenance li', { hasText: 'The Harbour Chronicle' });
    await row.getByRole('button', { name: 'Hide The Harbour Chronicle from focus' }).click();
    await row.getByText('hidden,').waitFor();
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    await expect.poll(() => table.innerText()).toMatch(/LOD2/);
    await page.keyboard.press('t');
    await page.reload();
    await row.getByText('hidden,').waitFor();
    await row.getByRole('button', { name: 'Show The Harbour Chronicle to the model again' }).click();
    await row.getByRole('button', { name: 'Hide The Harbour Chronicle from focus' }).waitFor();
    await page.locator('body').press('Control+z');
    await row.getByText('hidden,').waitFor();
    await page.locator('body').press('Control+Shift+z');
    await row.getByRole('button', { name: 'Hide The Harbour Chronicle from focus' }).waitFor();
  });
});

describe('a question', () => {
  it('that ends an input method’s composition is not sent', async () => {
    await field().fill('かな');
    await field().evaluate((element) => {
      element.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
      element.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: 'かな' }));
      // Safari's order: the key that ended the composition comes after it, with the code of an input method.
      const key = { key: 'Enter', code: 'Enter', keyCode: 229, bubbles: true, cancelable: true };
      element.dispatchEvent(new KeyboardEvent('keydown', key));
    });
    expect(await field().inputValue()).toBe('かな');
    expect(await questions().count()).toBe(0);
  });

  it('in another language than the model’s is said to be foreign, with the way to a real base', async () => {
    await field().fill('What is the capital of France?');
    await field().press('Enter');
    const note = page.getByRole('note').filter({ hasText: 'is foreign to the shipped model' });
    await note.waitFor();
    await answers().first().locator('footer').waitFor();
    await note.getByRole('button', { name: 'Choose a real base' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
  });

  it('does not pull down what is read above it, and leads back to the end', async () => {
    const log = page.getByRole('log', { name: 'Conversation' });
    await page.setViewportSize({ width: 1440, height: 500 });
    await field().fill('What does a wig cost at Rosen?');
    await field().press('Enter');
    await expect.poll(() => questions().count()).toBe(2);
    await log.evaluate((element) => {
      element.scrollTop = 0;
    });
    await answers().nth(1).locator('footer').waitFor();
    await button('To the end').waitFor();
    expect(await log.evaluate((element) => element.scrollTop)).toBe(0);
    await button('To the end').click();
    await button('To the end').waitFor({ state: 'detached' });
    await page.setViewportSize({ width: 1440, height: 900 });
  });
});

describe('a block', () => {
  it('is shown token by token, with ids and the edges that cut it', async () => {
    await page.locator('body').press('End');
    await page.locator('body').press('Shift+D');
    const inspector = page.getByLabel('Selected block');
    await inspector.getByText('Tokens, ids and edges').click();
    const tokens = inspector.getByRole('list', { name: 'Tokens' });
    await tokens
      .getByTitle(/^Token [\d,]+, id \d+$/)
      .first()
      .waitFor();
    await tokens
      .getByTitle(/^Edge of a block at token/)
      .first()
      .waitFor();
  });
});
