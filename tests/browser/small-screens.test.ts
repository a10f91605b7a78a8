/** The page on screens down to 320 × 256 CSS pixels, which is a desktop at 400%: everything can be reached and hit. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import { type OpenPage, openPage, pauseIngestion, reachStep } from './open-page.ts';

const SOON_MS = 90_000;
const LOW = [
  [320, 256],
  [256, 320],
  [360, 225],
  [568, 320],
  [740, 360],
  [844, 390],
] as const;
const OTHERS = [
  [390, 844],
  [844, 1000],
  [961, 700],
  [1440, 900],
] as const;

let vite: RunningVite;
let browser: Browser;
let open: OpenPage;

beforeAll(async () => {
  vite = await startVite('small-screens');
  browser = await launchChromium();
  open = await openPage(browser, { timeoutMs: SOON_MS });
  await open.page.goto(vite.url, { timeout: 2 * SOON_MS });
  await reachStep(open.page, 8, 2 * SOON_MS);
  await pauseIngestion(open.page);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

/** What can be used on the page as it stands but is covered, cut off, or nowhere on the screen, in words. */
function unreachable(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const controls = document.querySelectorAll<HTMLElement>(
      'button, input, select, textarea, a[href], summary, [tabindex="0"]',
    );
    const faults: string[] = [];
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    for (const control of controls) {
      // Of tracks that are scrolled out, closed popovers, and labels that stand for their hidden input.
      if (!control.checkVisibility({ visibilityProperty: true }) || control.closest('[aria-hidden=true]'))
        continue;
      control.scrollIntoView({ block: 'center', inline: 'center' });
      const box = control.getBoundingClientRect();
      if (box.width <= 1 || box.height <= 1) continue;
      const name = `${control.tagName} ${control.ariaLabel ?? control.title} ${control.textContent.slice(0, 30)}`;
      const x = Math.min(Math.max((box.left + box.right) / 2, 1), width - 2);
      const y = Math.min(Math.max((box.top + box.bottom) / 2, 1), height - 2);
      const hit = document.elementFromPoint(x, y);
      if (!hit || !(control.contains(hit) || hit.contains(control)))
        faults.push(`${name} is covered by ${hit?.className ?? 'nothing'}`);
      const small = box.width <= width && box.height <= height;
      if (small && (box.left < -1 || box.right > width + 1 || box.top < -1 || box.bottom > height + 1))
        faults.push(`${name} is cut off at ${Math.round(box.left)}–${Math.round(box.right)}`);
    }
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > width) faults.push(`the page is ${scrollWidth} wide`);
    scrollTo(0, 0);
    return faults;
  });
}

it.each([...LOW, ...OTHERS])('lets everything be reached at %i × %i', async (width, height) => {
  const { page } = open;
  await page.setViewportSize({ width, height });
  // The page follows its new size a frame later: the panels' tabs come or go then.
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );
  const faults: string[] = [];
  const tabs = page.getByRole('navigation', { name: 'Panels' });
  const names = (await tabs.count()) === 0 ? [null] : ['Timeline', 'Chat', 'Inspector', 'Setup'];
  for (const name of names) {
    if (name !== null) await tabs.getByText(name).click();
    faults.push(...(await unreachable(page)).map((fault) => `${name ?? 'Page'}: ${fault}`));
  }
  expect(faults).toEqual([]);
});

it('sets the pace where there is no room for it in the bar, and plays', async () => {
  const { page } = open;
  await page.setViewportSize({ width: 320, height: 256 });
  await page.getByRole('navigation', { name: 'Panels' }).getByText('Timeline').click();
  const more = page.getByRole('button', { name: 'Speed, pace and loop' });
  await more.click();
  const pace = page.getByRole('combobox', { name: /^Ingest/ });
  await pace.selectOption('250');
  expect(await pace.inputValue()).toBe('250');
  await page.getByRole('button', { name: /^First/ }).click();
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByLabel('Step', { exact: true }).inputValue()).toBe('0');
  await page.getByRole('button', { name: /^Find a command/ }).click();
  await page.getByRole('combobox', { name: 'Command' }).fill('Keys and gestures');
  await page.keyboard.press('Enter');
  const close = page
    .getByRole('dialog', { name: 'Keys and gestures' })
    .getByRole('button', { name: 'Close' });
  await close.click();
  expect(open.complaints).toEqual([]);
});
