/** Kills real browsers, tabs and workers in the middle of appending: what was acknowledged is there afterwards. */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createProfile, type KillableChromium, startKillable, tearDatabaseLog } from './killable-chromium.ts';
import { type RunningVite, startVite } from './launch-chromium.ts';
import type { Found } from './storage-page.ts';

const KILLS = process.env['FULL_TEST'] === '1' ? 20 : 3;

let vite: RunningVite;
let browser: KillableChromium | null = null;
const profile = createProfile();

beforeAll(async () => {
  vite = await startVite('storage');
});

afterEach(async () => {
  await browser?.kill();
  browser = null;
});

afterAll(async () => {
  await vite.close();
  profile.remove();
});

async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  // Any small file of the origin will do.
  await page.goto(`${vite.url}/package.json`);
  return page;
}

/** A script, not a function: vitest rewrites the imports of functions. */
function call<T>(page: Page, expression: string): Promise<T> {
  return page.evaluate(`import('/tests/browser/storage-page.ts').then((module) => module.${expression})`);
}

/** Nothing acknowledged is missing. What came back from its second copy has its gists computed again later. */
function expectWhole(found: Found, acknowledged: number): void {
  const cameBack = found.damage.some((words) => words.includes('came back from its second copy'));
  const damage = cameBack ? found.damage.slice(1) : found.damage;
  expect({ ...found, damage }).toMatchObject({ kind: 'indexeddb', firstWrongToken: -1, damage: [] });
  expect(found.tokens).toBeGreaterThanOrEqual(acknowledged);
  expect(found.tokensOfEvents).toBe(found.tokens);
  if (!cameBack) expect(found.gists).toBe(Math.floor(found.tokens / 32));
}

/** Start the browser, look at the session, let a worker append some batches, and kill it all. */
async function appendAndKill(id: string | null, batches: number, delayMs: number) {
  browser = await startKillable(profile.path);
  const page = await openPage(browser.context);
  id ??= await call<string>(page, 'createSession()');
  const found = await call<Found>(page, `inspectInWorker('${id}')`);
  let acknowledged = 0;
  let seen = 0;
  let enough: () => void = () => undefined;
  const underWay = new Promise<void>((resolve) => (enough = resolve));
  await page.exposeFunction('acknowledge', (tokens: number) => {
    acknowledged = tokens;
    seen += 1;
    if (seen === batches) enough();
  });
  const appending = call<never>(page, `appendInWorker('${id}', (tokens) => window.acknowledge(tokens))`);
  await Promise.race([underWay, appending]);
  // Its end is the kill below.
  appending.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  await browser.kill();
  browser = null;
  return { id, found, acknowledged };
}

async function inspectAfresh(id: string): Promise<Found> {
  browser = await startKillable(profile.path);
  return call<Found>(await openPage(browser.context), `inspectInWorker('${id}')`);
}

it(
  'fault 01: SIGKILL of the browser mid-append, again and again, loses no acknowledged token',
  async () => {
    let id: string | null = null;
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const round = await appendAndKill(id, 20, kill * 37);
      expectWhole(round.found, acknowledged);
      ({ id, acknowledged } = round);
    }
    const found = await inspectAfresh(id!);
    expectWhole(found, acknowledged);
    expect(found.readOnly).toBe(false);
    expect(found.tokens).toBeGreaterThan(KILLS * 20);
  },
  240_000 + KILLS * 30_000,
);

it('keeps what was acknowledged when the browser throws its database away over a torn write', async () => {
  const { id } = await appendAndKill(null, 6, 0);
  // What a kill between two of its writes leaves behind; the next start goes on behind it.
  tearDatabaseLog(profile.path);
  const { acknowledged } = await appendAndKill(id, 6, 0);
  // It is thrown away when it is opened next, or at the start after.
  expectWhole(await inspectAfresh(id), acknowledged);
});

it('fault 02: a worker terminated mid-batch leaves whole batches, and all that were acknowledged', async () => {
  browser = await startKillable(profile.path);
  const page = await openPage(browser.context);
  const id = await call<string>(page, 'createSession()');
  let acknowledged = 0;
  for (const [batches, delayMs] of [
    [1, 0],
    [7, 3],
    [5, 14],
    [5, 23],
    [20, 37],
  ] as const) {
    acknowledged = await call<number>(page, `terminateWorkerMidAppend('${id}', ${batches}, ${delayMs})`);
    await expect
      .poll(() => call<boolean>(page, `inspect('${id}').then((found) => found.readOnly)`))
      .toBe(false);
    expectWhole(await call<Found>(page, `inspect('${id}')`), acknowledged);
  }
});

async function twoTabs() {
  browser = await startKillable(profile.path);
  const first = await openPage(browser.context);
  const second = await openPage(browser.context);
  const id = await call<string>(first, 'createSession()');
  expect(await call<boolean>(first, `hold('${id}')`)).toBe(true);
  return { context: browser.context, first, second, id };
}

it('fault 03: a renderer that crashes passes its lock on', async () => {
  const { context, first, second, id } = await twoTabs();
  expect(await call<string>(second, `appendAsSecond('${id}')`)).toBe('read-only');
  const session = await context.newCDPSession(first);
  session.send('Page.crash').catch(() => undefined);
  await expect.poll(() => call<string>(second, `appendAsSecond('${id}')`)).toBe('none');
});

it('fault 04: a second tab reads, and what it writes is refused', async () => {
  const { first, second, id } = await twoTabs();
  expect(await call<Found>(second, `inspect('${id}')`)).toMatchObject({ kind: 'indexeddb', readOnly: true });
  expect(await call<string>(second, `appendAsSecond('${id}')`)).toBe('read-only');
  await first.close();
  await expect.poll(() => call<string>(second, `appendAsSecond('${id}')`)).toBe('none');
});

it('keeps everything of the old version when the browser is killed in the middle of a migration', async () => {
  const { id, acknowledged } = await appendAndKill(null, 6, 0);
  browser = await startKillable(profile.path);
  const page = await openPage(browser.context);
  await call<never>(page, 'migrateInWorker()');
  await browser.kill();
  expectWhole(await inspectAfresh(id), acknowledged);
});
