/**
 * The built page with a real base on WASM: SmolLM2-135M-Instruct, opened from disk, reads a text that it was never
 * trained on, answers in several turns, and says which blocks it read. The whole text is read with FULL_TEST=1.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from './launch-chromium.ts';
import { openPage } from './open-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const weights = process.env['MEGACONTEXT_SMOLLM2'];
const isFull = process.env['FULL_TEST'] === '1';
if (weights === undefined) {
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

describe.skipIf(weights === undefined)('SmolLM2 in the built page', () => {
  let outDir: string;
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    outDir = await mkdtemp(join(tmpdir(), 'built-page-'));
    const common = { root: ROOT, configFile: join(ROOT, 'vite.config.ts'), logLevel: 'error' } as const;
    await build({ ...common, build: { outDir, emptyOutDir: true } });
    server = await preview({ ...common, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
    browser = await launchChromium();
    ({ page, complaints } = await openPage(browser, { timeoutMs: SLOW_MS }));
    await page.goto(server.resolvedUrls!.local[0]!);
    // A software adapter is passed over.
    await page.getByRole('button', { name: /^Backend: WASM/ }).waitFor();
  }, SLOW_MS);

  afterAll(async () => {
    await browser.close();
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  });

  const answers = () => page.getByRole('article', { name: 'Model', exact: true });
  const ask = async (question: string, turn: number) => {
    await page.getByLabel('Your question').fill(question);
    await page.getByLabel('Your question').press('Enter');
    await answers().nth(turn).locator('footer').waitFor();
  };
  const setParameter = async (name: RegExp, value: string) => {
    const field = page.getByRole('textbox', { name });
    await field.fill(value);
    await field.press('Enter');
  };

  it(
    'is opened from disk, and reads a text that it was never trained on',
    async () => {
      const documents = page.getByRole('region', { name: 'Documents' });
      const input = documents.getByLabel('Files to add');
      await input.setInputFiles(weights!);
      await page.getByRole('button', { name: 'Load it, in a new session' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await setParameter(/^Budget/, isFull ? '512' : '320');
      await setParameter(/^Recent tokens/, '64');
      await page.getByText('Sampling', { exact: true }).click();
      await setParameter(/^Longest answer/, '24');
      const buffer = Buffer.from(await longText());
      await input.setInputFiles({ name: 'documents.txt', mimeType: 'text/plain', buffer });
      await documents.getByRole('button', { name: /^documents\.txt/ }).waitFor();
      // Its first thousand tokens come well after the page has shown how many are still to go.
      await documents.getByText(/^[\d.]+k$/).waitFor();
      await documents.getByLabel('Ingestion').waitFor({ state: 'detached' });
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
    expect(complaints).toEqual([]);
  });
});
