/** Why the model said what it said: an answer's tokens lead to the blocks they were predicted from, and those to their reasons. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seriousIssues } from './open-page.ts';
import { openPausedExample, type PausedExample, SOON_MS, STARTED_MS } from './paused-example.ts';

let example: PausedExample;
let page: Page;

beforeAll(async () => {
  example = await openPausedExample('why');
  ({ page } = example);
}, STARTED_MS + SOON_MS);

afterAll(() => example.close());

afterEach(() => {
  expect(example.complaints).toEqual([]);
});

const answers = () => page.getByRole('article', { name: 'Model', exact: true });
const textOf = (answer: number) =>
  answers().nth(answer).getByRole('group', { name: 'Answer, token by token' });
const card = () => page.getByRole('group', { name: 'What the token was predicted from' });
const recordAttention = () => page.getByLabel('Record attention', { exact: true });
const inspector = () => page.getByLabel('Selected block');

const QUESTION = 'What does a wig cost at Rosen?';
const field = () => page.getByLabel('Your question');

describe('a generated token', () => {
  it('shows what stood in focus, walked by key, and how to have its attention recorded', async () => {
    await field().fill(QUESTION);
    await field().press('Enter');
    await answers().first().locator('footer').waitFor();
    await textOf(0).focus();
    await page.keyboard.press('Home');
    await card()
      .getByText(/^In focus: \d+ raw tokens in \d+ places?/)
      .waitFor();
    const first = await card().locator('header').innerText();
    await page.keyboard.press('ArrowRight');
    expect(await card().locator('header').innerText()).not.toBe(first);
    await page.keyboard.press('ArrowLeft');
    expect(await card().locator('header').innerText()).toBe(first);
    await page.keyboard.press('Escape');
    expect(await card().count()).toBe(0);
    await page.keyboard.press('End');
    await card().getByRole('button', { name: 'Record attention from now on' }).click();
    await expect.poll(() => recordAttention().inputValue()).toBe('mean');
  });

  it('shows how much it attended to each block, once that is recorded', async () => {
    // The history only grows: the same question is a second turn.
    await page.getByRole('button', { name: 'Ask again' }).click();
    await answers().nth(1).locator('footer').waitFor();
    expect(await page.getByRole('button', { name: 'Ask again' }).count()).toBe(1);
    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await field().inputValue()).toBe(QUESTION);
    const token = textOf(1).locator('.token').nth(1);
    await token.hover();
    await card().getByText('Attended to, mean of all attention heads:').waitFor();
    const shares = await card().locator('.share').allInnerTexts();
    const parts = shares.map((share) => Number.parseFloat(share));
    expect(parts).toEqual([...parts].sort((a, b) => b - a));
    const rest = await card()
      .getByText(/^All other blocks together/)
      .innerText();
    const total = parts.reduce((sum, part) => sum + part, Number.parseFloat(rest.replace(/^\D+/, '')));
    expect(Math.abs(total - 100)).toBeLessThan(3);
    await page.mouse.move(700, 450);
    await expect.poll(() => card().count()).toBe(0);
  });

  it('marks those blocks over the timeline while it is held, and lets go when the playhead moves', async () => {
    const picture = () => page.locator('.timeline-strip canvas').screenshot();
    const plain = await picture();
    await textOf(1).locator('.token').nth(1).click();
    await card().waitFor();
    await expect.poll(async () => (await picture()).equals(plain)).toBe(false);
    expect(await seriousIssues(page)).toEqual([]);
    await card().locator('.token-block').first().click();
    await inspector()
      .getByText(/Raw tokens|Gist, LOD/)
      .waitFor();
    await page.getByRole('tab', { name: 'Chat' }).click();
    await card().waitFor();
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => card().count()).toBe(0);
  });
});

describe('a block', () => {
  it('tells what its score asked for, by the thresholds in force, and what its trades were', async () => {
    await page.keyboard.press('.');
    await page.keyboard.press(',');
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    await table
      .locator('tr', { hasText: /Collapsed|Expanded/ })
      .getByRole('button')
      .first()
      .click();
    await page.keyboard.press('t');
    await inspector().locator('.standing-words').waitFor();
    const words = await inspector().locator('.standing-words').innerText();
    expect(words).toMatch(/τ_expand|τ_collapse/);
    expect(words).not.toContain('−1.00');
    expect(await inspector().locator('.spark-axis').innerText()).not.toContain('−1.00');
    await inspector().getByRole('heading', { name: 'Why' }).waitFor();
    await inspector().locator('.actions li').first().waitFor();
  });
});
