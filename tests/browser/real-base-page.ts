/** Opens the built page on WASM with SmolLM2-135M-Instruct chosen from disk (`MEGACONTEXT_SMOLLM2`). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { build, preview } from 'vite';
import { launchChromium } from './launch-chromium.ts';
import { openPage } from './open-page.ts';

const ROOT = join(import.meta.dirname, '../..');

export const SMOLLM2 = process.env['MEGACONTEXT_SMOLLM2'];

export interface RealBasePage {
  readonly page: Page;
  readonly documents: Locator;
  readonly complaints: readonly string[];
  /** Fill a parameter's box. */
  setParameter(name: RegExp, value: string): Promise<void>;
  /** Add a text as a document, and wait until all of it is read. */
  read(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The page, built and served; no base is chosen yet. */
export async function openBuiltPage(timeoutMs: number): Promise<RealBasePage> {
  const outDir = await mkdtemp(join(tmpdir(), 'built-page-'));
  const common = { root: ROOT, configFile: join(ROOT, 'vite.config.ts'), logLevel: 'error' } as const;
  await build({ ...common, build: { outDir, emptyOutDir: true } });
  const server = await preview({ ...common, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
  const browser = await launchChromium();
  const { page, complaints } = await openPage(browser, { timeoutMs });
  await page.goto(server.resolvedUrls!.local[0]!);
  // A software adapter is passed over.
  await page.getByRole('button', { name: /^Backend: WASM/ }).waitFor();
  const documents = page.getByRole('region', { name: 'Documents' });
  return {
    page,
    documents,
    complaints,
    setParameter: async (name, value) => {
      const field = page.getByRole('textbox', { name });
      await field.fill(value);
      await field.press('Enter');
    },
    read: async (text) => {
      const buffer = Buffer.from(text);
      const file = { name: 'documents.txt', mimeType: 'text/plain', buffer };
      await documents.getByLabel('Files to add').setInputFiles(file);
      await documents.getByRole('button', { name: /^documents\.txt/ }).waitFor();
      // Its first thousand tokens come well after the page has shown how many are still to go.
      await documents.getByText(/^[\d.]+k$/).waitFor();
      await documents.getByLabel('Ingestion').waitFor({ state: 'detached' });
    },
    close: async () => {
      await browser.close();
      await server.close();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

/** Choose the base from disk, in a new session. */
export async function openRealBase({ page, documents }: RealBasePage): Promise<void> {
  await documents.getByLabel('Files to add').setInputFiles(SMOLLM2!);
  await page.getByRole('button', { name: 'Load it, in a new session' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}
