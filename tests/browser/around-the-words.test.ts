/** What is done around the model's words: two fingers on the timeline, ways back, questions of one's own, a page translator. */
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPausedExample, type PausedExample, SOON_MS, STARTED_MS } from './paused-example.ts';

/** Longer than the address waits for a view to stand still. */
const ADDRESS_SETTLES_MS = 1000;

let example: PausedExample;
let page: Page;
/** Complaints that a test has looked at. */
let known = 0;

beforeAll(async () => {
  example = await openPausedExample('around-the-words');
  ({ page } = example);
}, STARTED_MS + SOON_MS);

afterAll(() => example.close());

afterEach(() => {
  expect(example.complaints.slice(known)).toEqual([]);
});

const panel = (name: string) => page.getByRole('region', { name, exact: true });

describe('two fingers', () => {
  /** Tokens in view, once the address, which follows a little later, stands still. */
  const shownTokens = async (): Promise<number> => {
    let address = '';
    for (;;) {
      const now = await page.evaluate(() => location.hash);
      const [, from, to] = /tokens=([\d.]+)-([\d.]+)/.exec(now) ?? [];
      if (now === address && to !== undefined) return Number(to) - Number(from);
      address = now;
      await page.waitForTimeout(ADDRESS_SETTLES_MS);
    }
  };

  /** Moves both fingers apart along a line, from one distance to the other, about a point that stays. */
  const spread = async (touch: CDPSession, x: number, y: number, from: number, to: number) => {
    const points = (distance: number) => [
      { x: x - distance / 2, y, id: 0 },
      { x: x + distance / 2, y, id: 1 },
    ];
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: points(from) });
    const moves = 8;
    for (let move = 1; move <= moves; move++) {
      const touchPoints = points(from + ((to - from) * move) / moves);
      await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints });
    }
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  };

  it('zoom the timeline as far as they go', async () => {
    const touch = await page.context().newCDPSession(page);
    await touch.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 2 });
    const box = (await page.locator('.timeline-overlay').boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await spread(touch, x, y, 60, 120);
    const before = await shownTokens();
    await spread(touch, x, y, 60, 180);
    const after = await shownTokens();
    expect(before / after).toBeGreaterThan(2.6);
    expect(before / after).toBeLessThan(3.4);
    await touch.send('Emulation.setTouchEmulationEnabled', { enabled: false });
    await touch.detach();
    await page.locator('body').press('0');
  });
});

describe('a question of one’s own', () => {
  it('is asked beside the session, and judged', async () => {
    const own = panel('Own questions');
    await own.locator('summary').click();
    await own.getByLabel('Own question', { exact: true }).fill('Where does the crew of the Tern sleep?');
    await own.getByLabel('Expected in the answer').fill('no such words');
    await own.getByRole('button', { name: 'Add question' }).click();
    const step = page.getByLabel('Step', { exact: true });
    const before = await step.getAttribute('max');
    await own.getByRole('button', { name: 'Ask all now' }).click();
    await own.getByText('0 of 1 answered').waitFor();
    await own.getByText(/at [\d,]+ tokens: /).waitFor();
    expect(await page.getByRole('article', { name: 'You', exact: true }).count()).toBe(0);
    expect(await step.getAttribute('max')).toBe(before);
  });
});

describe('a parameter', () => {
  it('that changed is listed with its step, and the values of a step come back', async () => {
    const parameters = panel('Parameters');
    const tauExpand = parameters.getByRole('textbox', { name: /τ_expand$/ });
    const initial = await tauExpand.inputValue();
    await tauExpand.fill('0.45');
    await tauExpand.press('Enter');
    const step = page.getByLabel('Step', { exact: true });
    const newest = Number(await step.getAttribute('max'));
    await page.locator('.timeline-overlay').press('n');
    await expect.poll(async () => Number(await step.getAttribute('max'))).toBeGreaterThan(newest);
    await parameters.getByRole('list', { name: 'Changes of parameters' }).getByText('→ 0.45').waitFor();
    await page.locator('.timeline-overlay').press('Home');
    await parameters.getByRole('button', { name: 'Use the values of step 1', exact: true }).click();
    await expect.poll(() => tauExpand.inputValue()).toBe(initial);
  });
});

describe('a page translator', () => {
  it('that wraps every text leaves a page that can be used', async () => {
    await page.evaluate(() => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: Text[] = [];
      while (texts.nextNode()) found.push(texts.currentNode as Text);
      for (const text of found) {
        const isLeftAlone = text.parentElement?.closest('[translate="no"], script, style, svg');
        if (isLeftAlone || text.data.trim() === '') continue;
        const wrapper = document.createElement('span');
        text.replaceWith(wrapper);
        wrapper.append(text);
      }
    });
    await page
      .getByRole('button', { name: /^Topic shift/ })
      .first()
      .click();
    await expect.poll(() => page.getByRole('banner').innerText()).toMatch(/Topic shift/i);
    const again = page.getByRole('button', { name: 'Show it again' });
    while ((await again.count()) > 0) await again.first().click();
    await panel('Documents').waitFor();
    await panel('Parameters').waitFor();
    known = example.complaints.length;
  });
});
