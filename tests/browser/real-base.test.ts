/**
 * The built page with a real base on WASM: SmolLM2-135M-Instruct, opened from disk, reads a text that it was never
 * trained on, answers in several turns, and says which blocks it read. The whole text is read with FULL_TEST=1.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBuiltPage, openRealBase, type RealBasePage, SMOLLM2 } from './real-base-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const isFull = process.env['FULL_TEST'] === '1';
if (SMOLLM2 === undefined) {
  console.log(
    'Skipped: set MEGACONTEXT_SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf to chat with a real base.',
  );
}

/** Reading 94 MB of weights, and a few hundred tokens through 30 layers, on two slow cores. */
const SLOW_MS = isFull ? 1_500_000 : 220_000;
const FACT = 'One of the special magic numbers for the harbour office is: 7481926.';
const QUESTION = 'What is the special magic number for the harbour office mentioned in the text?';
/** About four characters a token. */
const CHARACTERS = isFull ? 82_000 : 6000;

/** This repository's own documents, which no model was trained on, with a fact in their first tenth. */
async function longText(): Promise<string> {
  const folder = join(ROOT, 'docs');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const text = texts.join('\n\n').slice(0, CHARACTERS);
  const at = text.indexOf('. ', CHARACTERS / 20) + 2;
  return `${text.slice(0, at)}${FACT} ${text.slice(at)}`;
}

describe.skipIf(SMOLLM2 === undefined)('SmolLM2 in the built page', () => {
  let opened: RealBasePage;
  let page: Page;

  beforeAll(async () => {
    opened = await openBuiltPage(SLOW_MS);
    ({ page } = opened);
  }, SLOW_MS);

  afterAll(() => opened.close());

  const answers = () => page.getByRole('article', { name: 'Model', exact: true });
  const ask = async (question: string, turn: number) => {
    await page.getByLabel('Your question').fill(question);
    await page.getByLabel('Your question').press('Enter');
    await answers().nth(turn).locator('footer').waitFor();
  };

  it(
    'is opened from disk, and reads a text that it was never trained on',
    async () => {
      await openRealBase(opened);
      await opened.setParameter(/^Budget/, isFull ? '512' : '320');
      await opened.setParameter(/^Recent tokens/, '64');
      await page.getByText('Sampling', { exact: true }).click();
      await opened.setParameter(/^Longest answer/, '24');
      await opened.read(await longText());
    },
    SLOW_MS,
  );

  it(
    'answers a question about the first tenth, and says from which blocks',
    async () => {
      await ask(QUESTION, 0);
      expect(await answers().first().innerText()).toContain('7481926');
      const sources = answers()
        .first()
        .getByRole('button', { name: /^Source \d documents\.txt/ });
      await sources.first().click();
      const text = answers().first().locator('.citation-text blockquote');
      await expect.poll(() => text.innerText()).toContain('7481926');
    },
    SLOW_MS,
  );

  it.runIf(isFull)(
    'goes on with the conversation',
    async () => {
      await ask('And what is that number for?', 1);
      expect((await answers().nth(1).innerText()).length).toBeGreaterThan(10);
      expect(await page.getByRole('article', { name: 'You' }).count()).toBe(2);
    },
    SLOW_MS,
  );

  it('leaves the console clean', () => {
    expect(opened.complaints).toEqual([]);
  });
});
