/** Time in the page, by keys: the recorded first minute, playing, looping, tracks, the tour and the presets. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPage } from '../../src/ui/app/page.ts';
import { fakeEngine } from '../../src/ui/model/testing/fake-engine.ts';
import { chordWords } from '../../src/ui/commands/keymap.ts';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { type OpenPage, openPage } from './open-page.ts';

/** On a slow and busy machine. */
const SOON_MS = 90_000;
/** Three views that follow the playhead every 300 ms. */
const SLOW_COMMITS_PER_SECOND = 10;

let vite: RunningVite;
let browser: Browser;

beforeAll(async () => {
  vite = await startVite('playback');
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

interface FirstVisit extends OpenPage {
  /** Lets the model's weights through, which are held back so that the recording has its minute. */
  readonly release: () => void;
}

/** A first visit whose model loads only when the test says so; React's commits are counted. */
async function firstVisit(): Promise<FirstVisit> {
  const opened = await openPage(browser, { timeoutMs: SOON_MS, isFirstVisit: true });
  const { context, page } = opened;
  await context.addInitScript(() => {
    const counted = globalThis as unknown as { commits: number; __REACT_DEVTOOLS_GLOBAL_HOOK__: object };
    counted.commits = 0;
    counted.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
      supportsFiber: true,
      inject: () => 1,
      onCommitFiberRoot: () => counted.commits++,
      onCommitFiberUnmount: () => undefined,
      onPostCommitFiberRoot: () => undefined,
    };
  });
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await context.route('**/model.safetensors', async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(vite.url, { timeout: 2 * SOON_MS });
  return { ...opened, release };
}

const stepOf = (page: Page): Promise<number> =>
  page.getByLabel('Step', { exact: true }).inputValue().then(Number);
const lastStepOf = async (page: Page): Promise<number> =>
  Number(await page.getByLabel('Step', { exact: true }).getAttribute('max'));

interface WatchedFrames {
  /** The step that each animation frame showed. */
  readonly shown: readonly number[];
  readonly elapsedMs: number;
  /** How often React committed meanwhile. */
  readonly commits: number;
}

function watchFrames(page: Page, frames: number): Promise<WatchedFrames> {
  return page.evaluate(
    (count) =>
      new Promise<WatchedFrames>((resolve) => {
        const counted = globalThis as unknown as { commits: number };
        const slider = document.querySelector<HTMLInputElement>('input[aria-label="Step"]')!;
        const before = { commits: counted.commits, atMs: performance.now() };
        const shown: number[] = [];
        const look = () => {
          shown.push(Number(slider.value));
          if (shown.length < count) requestAnimationFrame(look);
          else {
            const elapsedMs = performance.now() - before.atMs;
            resolve({ shown, elapsedMs, commits: counted.commits - before.commits });
          }
        };
        requestAnimationFrame(look);
      }),
    frames,
  );
}

describe('the first minute', () => {
  let open: FirstVisit;

  beforeAll(async () => {
    open = await firstVisit();
  });

  afterAll(() => open.context.close());

  afterEach(() => {
    expect(open.complaints).toEqual([]);
  });

  it('plays the recorded example while the model loads', async () => {
    const { page } = open;
    await page.getByText('Recorded example.').waitFor();
    await page.getByRole('progressbar', { name: 'Loading the model' }).waitFor();
    const before = await stepOf(page);
    await expect.poll(() => stepOf(page), { timeout: SOON_MS }).toBeGreaterThan(before + 10);
    expect(await lastStepOf(page)).toBeGreaterThan(300);
  });

  it('does not render React with every frame that it plays', async () => {
    const { page } = open;
    await page.keyboard.press('Home');
    await page.getByRole('combobox', { name: 'Speed' }).selectOption('16');
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pause the recording' }).waitFor();
    const { shown, elapsedMs, commits } = await watchFrames(page, 60);
    const moves = shown.filter((step, i) => i > 0 && step !== shown[i - 1]).length;
    expect(moves).toBeGreaterThan(10);
    // Slow views follow the playhead by the clock; where frames are rare, that is a larger share of them.
    expect(commits).toBeLessThanOrEqual(Math.max(moves / 3, (elapsedMs / 1000) * SLOW_COMMITS_PER_SECOND));
  });

  it('stays on the recording once it is touched, and goes live when asked', async () => {
    const { page, release } = open;
    await page.keyboard.press('Home');
    await expect.poll(() => stepOf(page)).toBe(0);
    release();
    await page.getByText('The live session runs behind it.').waitFor();
    await expect.poll(() => stepOf(page)).toBe(0);
    expect(await page.getByRole('button', { name: 'Newest', exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'To the live session' }).click();
    await page.getByText('Recorded example.').waitFor({ state: 'detached' });
    const newest = page.getByRole('button', { name: 'Newest', exact: true });
    await expect.poll(() => newest.getAttribute('aria-pressed')).toBe('true');
  });

  it('is toured by keys, which ends where the presets are', async () => {
    const { page } = open;
    const tour = page.getByRole('dialog', { name: /^Tour/ });
    await tour.waitFor();
    await tour.getByRole('button', { name: 'Next' }).focus();
    for (let step = 2; step <= 5; step++) {
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: `Tour, step ${step} of 5` }).waitFor();
    }
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('dialog', { name: 'Tour, step 4 of 5' }).waitFor();
    await page.keyboard.press('Escape');
    await tour.waitFor({ state: 'detached' });
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('?');
    await page.getByRole('button', { name: /Take the tour/ }).click();
    await tour.waitFor();
    await page.keyboard.press('Escape');
    await tour.waitFor({ state: 'detached' });
  });

  it('leads to a preset, told in a session of its own', async () => {
    const { page } = open;
    const needle = page.getByRole('button', { name: 'Needle' });
    await expect.poll(() => needle.isEnabled(), { timeout: SOON_MS }).toBe(true);
    await needle.click();
    await page.getByRole('status', { name: 'Preset: Needle' }).waitFor();
    await expect.poll(() => lastStepOf(page), { timeout: SOON_MS }).toBeGreaterThan(12);
    await page.getByRole('button', { name: /^Session: Needle/ }).click();
    const listed = page.getByRole('group', { name: 'Sessions' });
    await expect.poll(() => listed.innerText()).toMatch(/Harbour Chronicle/);
    await page.keyboard.press('Escape');
  });
});

it('goes over to the live session while the tour is read, and when a parameter is changed', async () => {
  const { page, context, complaints, release } = await firstVisit();
  await page.getByText('Recorded example.').waitFor();
  const tour = page.getByRole('dialog', { name: /^Tour/ });
  await tour.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('dialog', { name: 'Tour, step 2 of 5' }).waitFor();
  await page.keyboard.press('Escape');
  await tour.waitFor({ state: 'detached' });
  release();
  await page.getByText('Recorded example.').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Newest', exact: true, pressed: true }).waitFor();
  await context.close();

  const other = await firstVisit();
  await other.page.getByText('Recorded example.').waitFor();
  await other.page.getByRole('button', { name: 'Close the tour' }).click();
  await other.page.locator('.timeline-overlay').focus();
  await other.page.keyboard.press('Home');
  other.release();
  await other.page.getByText('The live session runs behind it.').waitFor();
  await other.page.getByRole('combobox', { name: 'KV mode' }).selectOption('patch');
  await other.page.getByText('Recorded example.').waitFor({ state: 'detached' });
  expect([...complaints, ...other.complaints]).toEqual([]);
  await other.context.close();
});

describe('time, by keys', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await firstVisit();
    await open.page.getByText('Recorded example.').waitFor();
    await open.page.getByRole('button', { name: 'Close the tour' }).click();
    await open.page.keyboard.press('Home');
  });

  afterAll(() => open.context.close());

  afterEach(() => {
    expect(open.complaints).toEqual([]);
  });

  it('steps, jumps to actions, and plays faster', async () => {
    const { page } = open;
    await page.locator('.timeline-overlay').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'ArrowLeft'])
      await page.keyboard.press(key);
    await expect.poll(() => stepOf(page)).toBe(11);
    await page.keyboard.press('.');
    await expect.poll(() => stepOf(page)).toBeGreaterThan(11);
    const action = await stepOf(page);
    await page.keyboard.press('.');
    await page.keyboard.press(',');
    await expect.poll(() => stepOf(page)).toBe(action);
    for (let i = 0; i < 9; i++) await page.keyboard.press(']');
    await expect.poll(() => page.getByRole('combobox', { name: 'Speed' }).inputValue()).toBe('16');
  });

  it('goes to either end; a recording has a last step and none that is newer', async () => {
    const { page } = open;
    const last = page.getByRole('button', { name: 'Last', exact: true });
    await page.keyboard.press('End');
    await expect.poll(() => stepOf(page)).toBe(await lastStepOf(page));
    expect(await last.getAttribute('aria-pressed')).toBeNull();
    await page.keyboard.press('Shift+ArrowLeft');
    await expect.poll(() => stepOf(page)).toBe((await lastStepOf(page)) - 10);
    await last.click();
    await expect.poll(() => stepOf(page)).toBe(await lastStepOf(page));
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Home');
    await expect.poll(() => stepOf(page)).toBe(0);
  });

  it('zooms, pans, focuses and fits', async () => {
    const { page } = open;
    const ticks = () => page.locator('.timeline-axis .tick').allTextContents();
    const moved = async (key: string): Promise<string[]> => {
      const before = await ticks();
      await page.keyboard.press(key);
      await expect.poll(ticks).not.toEqual(before);
      return ticks();
    };
    await page.keyboard.press('End');
    await page.keyboard.press('Escape');
    await page.keyboard.press('0');
    const whole = await ticks();
    const zoomed = await moved('w');
    await moved('d');
    await page.keyboard.press('a');
    await expect.poll(ticks).toEqual(zoomed);
    for (let i = 0; i < 2; i++) await page.keyboard.press('s');
    await expect.poll(ticks).toEqual(whole);
    await page.keyboard.press('Shift+D');
    await moved('f');
    expect(await moved('f')).toEqual(whole);
    await moved('f');
    expect(await moved('0')).toEqual(whole);
    await page.keyboard.press('Escape');
  });

  it('finds history, commands and keys by keys', async () => {
    const { page } = open;
    const isFocused = (locator: ReturnType<Page['locator']>) => () =>
      locator.evaluate((element) => element === document.activeElement);
    await page.keyboard.press('/');
    const explorer = page.getByRole('region', { name: 'Tree explorer' });
    await expect.poll(isFocused(explorer.getByRole('searchbox'))).toBe(true);
    await explorer.getByRole('button', { name: /^Close the tree explorer/ }).click();
    await page.keyboard.press('Control+k');
    const field = page.getByRole('combobox', { name: 'Command' });
    await expect.poll(isFocused(field)).toBe(true);
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowDown');
    const [chosen, list] = await Promise.all([
      page.locator('#palette-list [aria-selected=true]').boundingBox(),
      page.locator('#palette-list').boundingBox(),
    ]);
    expect(chosen!.y + chosen!.height).toBeLessThanOrEqual(list!.y + list!.height + 1);
    await page.keyboard.press('Escape');
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keys and gestures' });
    await help.waitFor();
    const caps = await help
      .locator('.keycaps')
      .evaluateAll((all) => all.map((each) => [...each.children].map((key) => key.textContent).join(' ')));
    for (const { keys } of createPage(fakeEngine().port).commands.all)
      for (const chord of keys) expect(caps).toContain(chordWords(chord).join(' '));
    await page.keyboard.press('Escape');
    await page.locator('.timeline-overlay').focus();
  });

  it('takes keys by their place, and names them as the keyboard has them', async () => {
    const { page } = open;
    const press = (code: string, key: string) =>
      page.evaluate(
        ([at, written]) =>
          document.activeElement!.dispatchEvent(
            new KeyboardEvent('keydown', { code: at!, key: written!, bubbles: true, cancelable: true }),
          ),
        [code, key],
      );
    const ticks = () => page.locator('.timeline-axis .tick').allTextContents();
    await page.keyboard.press('0');
    const whole = await ticks();
    // AZERTY: Z stands where W does, A where Q does, Q where A does.
    await press('KeyW', 'z');
    await expect.poll(ticks).not.toEqual(whole);
    await press('KeyA', 'q');
    await page.getByRole('button', { name: 'Zoom in on tokens (Z)' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).not.toBe('chat-input');
    await press('Slash', '?');
    const help = page.getByRole('dialog', { name: 'Keys and gestures' });
    await help.waitFor();
    expect(await help.getByText('Zoom in on tokens').locator('..').innerText()).toMatch(/Z/);
    await page.keyboard.press('Escape');
    // What is pressed as another layout has it is named so again.
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('w');
    await page.getByRole('button', { name: 'Zoom in on tokens (W)' }).waitFor();
    for (const key of ['a', '0']) await page.keyboard.press(key);
  });

  it('loops a range that was marked by keys, and one that was brushed', async () => {
    const { page } = open;
    await page.keyboard.press('Home');
    for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('i');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('o');
    await page.keyboard.press('Home');
    await expect.poll(() => stepOf(page)).toBe(0);
    await page.keyboard.press('Space');
    await expect.poll(() => stepOf(page)).toBeGreaterThanOrEqual(40);
    const { shown } = await watchFrames(page, 60);
    expect(new Set(shown).size).toBeGreaterThan(4);
    expect(Math.min(...shown)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...shown)).toBeLessThanOrEqual(50);
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+L');
    const loop = page.getByRole('button', { name: /^Loop the/ });
    await expect.poll(() => loop.getAttribute('aria-pressed')).toBe('false');

    const axis = (await page.locator('.timeline-range').boundingBox())!;
    await page.mouse.move(axis.x + 20, axis.y + 60);
    await page.mouse.down();
    await page.mouse.move(axis.x + 20, axis.y + 160, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => loop.getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('Shift+L');
  });

  it('walks the blocks of a step in the table, from step to step', async () => {
    const { page } = open;
    await page.locator('.timeline-overlay').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Blocks of the shown step' });
    await expect.poll(() => table.innerText(), { timeout: SOON_MS }).toMatch(/Step 11/);
    await table.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const focused = () => page.evaluate(() => document.activeElement?.closest('tr')?.innerText ?? '');
    await expect.poll(focused).toMatch(/\s32\s/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => table.innerText(), { timeout: SOON_MS }).toMatch(/Step 12/);
    await expect.poll(focused).not.toBe('');
    await page.keyboard.press('t');
    await table.waitFor({ state: 'detached' });
  });

  it('arranges tracks by keys and remembers it', async () => {
    const { page } = open;
    const headers = page.locator('.track-headers button');
    const names = () => headers.evaluateAll((all) => all.map((each) => each.textContent));
    const first = await names();
    await headers.nth(1).focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(names).toEqual([first[1], first[0], ...first.slice(2)]);
    await page.keyboard.press('Enter');
    await expect.poll(() => headers.first().getAttribute('aria-pressed')).toBe('true');
    await headers.nth(2).focus();
    await page.keyboard.press('Delete');
    await expect.poll(names).not.toContain(first[2]);
    await page.reload();
    await expect.poll(async () => (await names())[0], { timeout: SOON_MS }).toBe(first[1]);
    expect(await names()).not.toContain(first[2]);
  });
});
