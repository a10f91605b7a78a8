/** The project's own WebGPU kernels, on a software adapter: what they compute, and what a token asks of the device. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DispatchCount, KernelErrors, RefusedKernels } from './gpu-page.ts';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';

let vite: RunningVite;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  vite = await startVite('gpu');
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`${vite.url}/models/tiny/config.json`);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

/** A script, not a function: vitest rewrites the imports of functions. */
function callInPage<T>(call: string): Promise<T> {
  return page.evaluate(`import('/tests/browser/gpu-page.ts').then((module) => module.${call})`);
}

it('computes what each kernel means, at shapes that fill no vector, tile or workgroup, with subgroups and without', async () => {
  const { hasSubgroups, errors, errorsWithout, leakedBuffers } =
    await callInPage<KernelErrors>('kernelErrors()');
  expect(hasSubgroups).toBe(true);
  for (const measured of [errors, errorsWithout]) {
    const all = Object.entries(measured);
    expect(all.length).toBeGreaterThan(90);
    console.info('largest error', Math.max(...all.map(([, error]) => error)));
    expect(all.filter(([, error]) => !(error <= 1e-5))).toEqual([]);
  }
  expect(errors).not.toEqual(errorsWithout);
  expect(leakedBuffers).toBe(0);
});

it('decodes a token with six dispatches a layer and two more, in one pass', async () => {
  const { layers, tokens, greedy, greedyTokens, likeliestTokens, leakedBuffers } =
    await callInPage<DispatchCount>(`countDispatches(${JSON.stringify(`${vite.url}/models/tiny/`)})`);
  expect(tokens).toHaveLength(4);
  for (const token of tokens) {
    expect(token).toEqual({ dispatches: 6 * layers + 2, passes: 1, submits: 1 });
  }
  // Choosing on the device takes two more, and nobody waits between two tokens.
  expect(greedy).toEqual({ dispatches: 4 * (6 * layers + 4), passes: 1, submits: 1 });
  expect(greedyTokens).toEqual(likeliestTokens);
  expect(leakedBuffers).toBe(0);
});

it('runs on TensorFlow.js where the device refuses its kernels, says so, and agrees with them', async () => {
  const { compromises, errors } = await callInPage<RefusedKernels>('refuseKernels()');
  expect(compromises[0]).toBeNull();
  expect(compromises[1]).toMatch(/without the project's own kernels, and slower.*no kernels today/);
  expect(Object.keys(errors)).toHaveLength(17);
  expect(Object.entries(errors).filter(([, error]) => !(error <= 1e-5))).toEqual([]);
});
