/** Heads on the page: the recorded example with four of them, and the live session with as many. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SpeedReport, SpeedRequest } from './heads-speed-page.ts';
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
const words = () => lanes().locator('.head-lanes-foot > p').innerText();

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

  it('says head by head how each is used, and changes one alone', { timeout: 2 * SOON_MS }, async () => {
    await lanes().getByRole('button', { name: 'Head by head' }).click();
    const row = lanes().getByRole('row', { name: /^Head 2 / });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/\d+ of 256.*\d+ of \d+/s);
    await lanes().getByLabel('Cue of head 2').selectOption('names');
    const cues = page.getByLabel('Cues', { exact: true });
    await expect.poll(() => cues.inputValue(), { timeout: SOON_MS }).toBe('plain, part, names, names');
  });

  it('compares its heads with one window at one click', { timeout: 2 * SOON_MS }, async () => {
    await lanes()
      .getByRole('button', { name: /Compare with one window/ })
      .click();
    const dialog = page.getByRole('dialog', { name: /Compare/ });
    await dialog
      .getByText(/One window: /)
      .locator('visible=true')
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('has nothing that assistive technology stumbles over', { timeout: SOON_MS }, async () => {
    expect(await seriousIssues(page)).toEqual([]);
  });
});

describe('four heads beside one', () => {
  const full = process.env['FULL_TEST'] === '1';

  const decodeInTurn = async (answerTokens: number): Promise<number> => {
    const text = readFileSync(
      join(import.meta.dirname, '../../public/examples/harbour-chronicle.txt'),
      'utf8',
    );
    const request: SpeedRequest = { text: text.slice(0, 16_000), heads: 4, rounds: 7, answerTokens };
    // A script, not a function: vitest rewrites the imports of functions.
    const { one, several } = await page.evaluate<SpeedReport>(
      `import('/tests/browser/heads-speed-page.ts').then((module) => module.decodeInTurn(${JSON.stringify(request)}))`,
    );
    const ratios = several.map((speed, round) => speed / one[round]!).sort((a, b) => a - b);
    console.log('tokens a second', { answerTokens, one, several, ratios });
    return ratios[3]!;
  };

  // Short answers fit into the room that a wide window has left and narrow ones have not (docs/performance.md).
  it.runIf(full)(
    'decode a short answer at a fourth of its speed or more',
    { timeout: 3 * SOON_MS },
    async () => {
      expect(await decodeInTurn(96)).toBeGreaterThanOrEqual(0.25);
    },
  );

  it.runIf(full)('decode a long answer at half of its speed or more', { timeout: 6 * SOON_MS }, async () => {
    expect(await decodeInTurn(384)).toBeGreaterThanOrEqual(0.5);
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
