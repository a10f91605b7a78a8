/**
 * Long work on WebGPU leaves no tensor behind. A device in software is slow: in the full run only, for as many refocuses
 * as `SOAK_REFOCUSES` says.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import type { GpuRound } from './soak-page.ts';

const isFull = process.env['FULL_TEST'] === '1';
const REFOCUSES = Number(process.env['SOAK_REFOCUSES'] ?? 30);

let vite: RunningVite;
let browser: Browser;

beforeAll(async () => {
  vite = await startVite('soak');
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

it.runIf(isFull)(
  'sessions that come and go on WebGPU leave tensors, buffers and bytes as they were',
  async () => {
    const page = await browser.newPage();
    const rejections: string[] = [];
    page.on('pageerror', ({ message }) => rejections.push(message));
    page.on('console', (message) => {
      if (message.type() === 'info') console.log(message.text());
    });
    await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
    // A script, not a function: vitest rewrites the imports of functions.
    const rounds = await page.evaluate<readonly GpuRound[]>(
      `import('/tests/browser/soak-page.ts').then((module) => module.soakOnGpu(${REFOCUSES}))`,
    );
    const [first, ...later] = rounds.map(({ tensors, buffers, bytes }) => ({ tensors, buffers, bytes }));
    expect(rounds.at(-1)!.refocuses).toBeGreaterThanOrEqual(REFOCUSES);
    for (const held of later) expect(held).toEqual(first);
    expect(rejections).toEqual([]);
  },
  3_600_000,
);
