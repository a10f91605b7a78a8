/** A chat over a history: what an answer was read from, the session's own words, and a log of another chat brought along. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seriousIssues } from './open-page.ts';
import { openPausedExample, type PausedExample, SOON_MS, STARTED_MS } from './paused-example.ts';

let example: PausedExample;
let page: Page;

beforeAll(async () => {
  example = await openPausedExample('chat');
  ({ page } = example);
}, STARTED_MS + SOON_MS);

afterAll(() => example.close());

afterEach(() => {
  expect(example.complaints).toEqual([]);
});

const field = () => page.getByLabel('Your question');
const answers = () => page.getByRole('article', { name: 'Model', exact: true });
const sources = () =>
  answers()
    .first()
    .getByRole('button', { name: /^Source \d/ });
const step = () => page.locator('input[aria-label="Step"]');
const documents = () => page.getByRole('region', { name: 'Documents' });

describe('an answer', () => {
  it('says what it was read from: each place jumps to its step and opens its text', async () => {
    await field().fill('What does a wig cost at Rosen?');
    await field().press('Enter');
    await answers().first().locator('footer').waitFor();
    await sources().first().waitFor();
    const source = sources().first();
    expect(await source.getAttribute('aria-expanded')).toBe('false');
    await source.focus();
    await page.keyboard.press('Enter');
    const text = answers().first().locator('.citation-text blockquote');
    await expect.poll(() => text.innerText()).toMatch(/\w+ \w+ \w+/);
    const named = await answers()
      .first()
      .getByRole('button', { name: /^step / })
      .innerText();
    await expect.poll(() => step().getAttribute('aria-valuetext')).toContain(named.replace('step ', ''));
    expect(await seriousIssues(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(() => text.count()).toBe(0);
  });

  it('keeps the place of a source within itself, however long its document’s title is', async () => {
    const overflowPixels = await answers()
      .first()
      .locator('.citations ol')
      .evaluate((list) => {
        const texts = [...list.querySelectorAll('.citation-title')].map((title) => title.firstChild!);
        const before = texts.map((text) => text.nodeValue);
        for (const text of texts)
          text.nodeValue = 'The wind came from the sea all day, and the boats stayed in. '.repeat(4);
        const over = list.scrollWidth - list.clientWidth;
        texts.forEach((text, i) => (text.nodeValue = before[i]!));
        return over;
      });
    expect(overflowPixels).toBe(0);
  });

  it('says the same after a reload, which brings the session’s own system text back, too', async () => {
    const before = await sources().allTextContents();
    await page.locator('summary', { hasText: /^Chat$/ }).click();
    const systemText = page.getByLabel('System text', { exact: true });
    await systemText.fill('Answer briefly.');
    await systemText.blur();
    await page.getByRole('button', { name: 'Reset System text to empty' }).waitFor();
    // A turn's end stores everything for certain.
    await field().fill('What does a wig cost at Rosen?');
    await field().press('Enter');
    await answers().nth(1).locator('footer').waitFor();
    await page.reload();
    // The address names the block that was selected, so that the inspector comes forward.
    await page.getByLabel('Selected block').waitFor();
    await page.getByRole('tab', { name: 'Chat' }).click();
    await answers().first().waitFor();
    await sources().first().waitFor();
    const after = await sources().allTextContents();
    expect(after).toEqual(before);
    await expect.poll(() => systemText.inputValue()).toBe('Answer briefly.');
  });
});

describe('a log of another chat', () => {
  it('is known by its content, described, and read message by message', async () => {
    const said = (type: string, content: string, second: number) =>
      JSON.stringify({
        type,
        sessionId: 's',
        timestamp: `2026-01-15T10:14:0${second}.000Z`,
        message: { role: type, content },
      });
    const log = [
      said('user', 'Where did the keeper leave the brass lantern when the storm came?', 1),
      said('assistant', 'Under the stairs of the old customs house, beside the rope.', 2),
      said('user', 'And who has the key of that house now, after the winter?', 3),
    ].join('\n');
    const input = documents().getByLabel('Files to add');
    await input.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from(log) });
    const dialog = page.getByRole('dialog');
    await dialog
      .getByText(/Claude Code.*3 messages \(2 user, 1 assistant\), from 2026-01-15 10:14/)
      .waitFor();
    expect(await dialog.getByRole('list', { name: 'How notes.txt begins' }).innerText()).toContain(
      'customs house',
    );
    await dialog.getByRole('button', { name: 'Read' }).click();
    const imported = documents().getByRole('list', { name: 'Imported messages' });
    // The example still waits before it: it is taken back so that the log comes at once.
    const waiting = documents().getByRole('button', { name: /^Do not read the rest of/ });
    if (await waiting.count()) await waiting.first().click();
    await imported.getByRole('button', { name: /Message 3, user/ }).waitFor();
    await imported.getByRole('button', { name: /Message 1, user/ }).click();
    const first = await step().inputValue();
    await imported.getByRole('button', { name: /Message 3, user/ }).click();
    await expect.poll(async () => Number(await step().inputValue())).toBeGreaterThan(Number(first));
  });

  it('of a kind that is not known is described back', async () => {
    const input = documents().getByLabel('Files to add');
    const buffer = Buffer.from(JSON.stringify([{ speaker: 'A', said: 'x' }]));
    await input.setInputFiles({ name: 'talk.json', mimeType: 'application/json', buffer });
    const dialog = page.getByRole('dialog');
    await dialog
      .getByText(
        /no log of a chat that is known here: a JSON list of 1; the first has the names speaker, said/,
      )
      .waitFor();
    await dialog.getByRole('button', { name: 'Leave out' }).click();
    await expect.poll(() => dialog.count()).toBe(0);
  });
});
