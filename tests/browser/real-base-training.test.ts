/**
 * SmolLM2's heads trained in the built page on a session of its own (`FULL_TEST=1` and `MEGACONTEXT_SMOLLM2`): from
 * counterfactuals and from questions about the session's sentences, with the same measures before and after.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBuiltPage, openRealBase, type RealBasePage, SMOLLM2 } from './real-base-page.ts';

const runs = SMOLLM2 !== undefined && process.env['FULL_TEST'] === '1';
if (!runs) console.log('Skipped: set FULL_TEST=1 and MEGACONTEXT_SMOLLM2 to train a real base in the page.');

/** A place takes some twenty passes of 30 layers. */
const SLOW_MS = 1_800_000;
const CHARACTERS = 7000;

describe.runIf(runs)('training SmolLM2’s heads in the built page', () => {
  let opened: RealBasePage;
  beforeAll(async () => {
    opened = await openBuiltPage(SLOW_MS);
    await openRealBase(opened);
  }, SLOW_MS);
  afterAll(() => opened.close());

  it(
    'measures places, asks the session about its own sentences, trains, measures again and keeps',
    async () => {
      const { page } = opened;
      await opened.setParameter(/^Budget/, '192');
      await opened.setParameter(/^Recent tokens/, '64');
      const text = await readFile(join(import.meta.dirname, '../../docs/architecture.md'), 'utf8');
      await opened.read(text.slice(0, CHARACTERS));
      await page.getByRole('heading', { name: 'Documents' }).click();
      await page.keyboard.press('Shift+N');
      const dialog = page.getByRole('dialog', { name: 'Train LensNet on this session' });
      await dialog.getByLabel(/^Places/).fill('6');
      await dialog.getByLabel(/^Questions/).fill('30');
      await dialog.getByLabel(/^Steps/).fill('24');
      await dialog.getByRole('button', { name: 'Start' }).click();
      await dialog.getByText(/^Done: 24 steps/).waitFor();
      const figures = dialog.getByRole('region', { name: 'Held-out figures' });
      const [before, after] = await Promise.all(
        [/^before/, /^after step 24/].map((name) => figures.getByRole('row', { name }).innerText()),
      );
      console.log(`${await dialog.getByRole('status').first().innerText()}\n${before}\n${after}`);
      for (const row of [before, after]) {
        expect(row).toMatch(/n = \d+ moves, 2 places/);
        expect(row).toMatch(/n = 10 questions/);
      }
      await dialog.getByRole('button', { name: 'Keep' }).click();
      await dialog.getByText(/trained on this session/).waitFor();
      expect(opened.complaints).toEqual([]);
    },
    SLOW_MS,
  );
});
