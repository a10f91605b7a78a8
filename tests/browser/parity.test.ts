/** Holds the networks to PyTorch's golden fixtures on the backends of a real browser, WebGPU included. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';
import type { PageParity, PageRecovery } from './parity-page.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

const SMOLLM2 = process.env['MEGACONTEXT_SMOLLM2'];

const fixtures = readdirSync(FIXTURES)
  .filter((name) => existsSync(join(FIXTURES, name, 'weights.safetensors')))
  .map((name) => JSON.parse(readFileSync(join(FIXTURES, name, 'fixture.json'), 'utf8')) as FixtureHead);

interface FixtureHead {
  readonly name: string;
  readonly tolerance: number;
}

let vite: RunningVite;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  vite = await startVite('parity');
  browser = await launchChromium();
  page = await browser.newPage();
  // Any small file of the origin will do: the page only has to be cross-origin isolated like the app.
  await page.goto(`${vite.url}/tests/fixtures/${fixtures[0]!.name}/fixture.json`);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

/** A script, not a function: vitest rewrites the imports of functions. */
function callInPage<T>(name: string, ...values: unknown[]): Promise<T> {
  const call = `${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`;
  return page.evaluate(`import('/tests/browser/parity-page.ts').then((module) => module.${call})`);
}

describe.each(['webgpu', 'wasm'] as const)('%s', (preference) => {
  it('agrees with PyTorch on every fixture and leaks nothing', async () => {
    const names = fixtures.map(({ name }) => name);
    const found = await callInPage<PageParity>('runParity', preference, names);
    const { backend, errors, weightError, patchError, inPlaceError, leakedTensors } = found;
    console.info(backend.reason, errors);
    expect(backend.id).toBe(preference);
    for (const { name, tolerance } of fixtures) expect(errors[name], name).toBeLessThanOrEqual(tolerance);
    expect(weightError).toBeLessThanOrEqual(1e-6);
    expect(patchError).toBeLessThanOrEqual(1e-4);
    expect(inPlaceError).toBeLessThanOrEqual(1e-6);
    expect(leakedTensors).toBe(0);
  });
});

it('prefers WASM to a software adapter, and says why', async () => {
  const { backend } = await callInPage<PageParity>('runParity', 'auto', []);
  expect(backend).toMatchObject({ id: 'wasm', isSoftwareAdapter: true, wasOverridden: false });
  expect(backend.reason).toMatch(/is a software renderer/);
});

/** The base of the shipped model over a part of the example; a real base, in software on two cores, only in full. */
const FORCED = [
  { name: 'the tiny base', folder: 'models/tiny', gguf: null, positions: 1000, runs: true },
  {
    name: 'SmolLM2-135M-Instruct (MEGACONTEXT_SMOLLM2, FULL_TEST=1)',
    folder: 'smollm2',
    gguf: 'weights.gguf',
    positions: 192,
    runs: SMOLLM2 !== undefined && process.env['FULL_TEST'] === '1',
  },
];

describe.each(FORCED)('forced over a text, $name', ({ folder, gguf, positions, runs }) => {
  it.runIf(runs)(
    'calls the same token the most likely on WASM and WebGPU, at 99.9% of all positions',
    async () => {
      await page.route('**/smollm2/weights.gguf', (route) => route.fulfill({ path: SMOLLM2! }));
      const text = readFileSync(join(FIXTURES, '../../public/examples/harbour-chronicle.txt'), 'utf8');
      const asked = [`${vite.url}/${folder}`, gguf, text.slice(0, 20_000), positions] as const;
      const wasm = await callInPage<readonly number[]>('topTokens', 'wasm', ...asked);
      const webgpu = await callInPage<readonly number[]>('topTokens', 'webgpu', ...asked);
      expect(wasm).toHaveLength(positions);
      const agreed = wasm.filter((token, at) => token === webgpu[at]).length;
      console.info(`${agreed} of ${positions} positions agree`);
      expect(agreed / positions).toBeGreaterThanOrEqual(0.999);
    },
    1_200_000,
  );
});

it('announces a lost device and starts over on a new one', async () => {
  const recovery = await callInPage<PageRecovery>('loseDevice', 'llama-untied');
  expect(recovery.pendingAppend).toBe('rejected');
  expect(recovery.reason).not.toBe('');
  expect(recovery.errorAfter).toBeLessThanOrEqual(1e-3);
});
