/**
 * Opening a long session in a real browser: from the reload to the whole timeline, with the longest task of the main
 * thread; and the longest while seeking through it, and while it is saved as a trace. The session is read beforehand with the recency policy, whose frames are as many and as large as any.
 */
import type { Page } from 'playwright-core';
import { launchChromium, startVite } from '../../tests/browser/launch-chromium.ts';
import { openPage, runPaletteCommand, sessionAddress } from '../../tests/browser/open-page.ts';
import { writeSyntheticHistory } from '../synthetic-history.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { type BenchRow, rowOf } from './measure.ts';
import { seekThrough } from './seeking.ts';

/** Writing the session, on a slow and busy machine. */
const PATIENCE_MS = 1_800_000;
/** From the reload to the whole timeline, the engine's start and the page's modules from Vite included. */
const OPENING_MS = 120_000;
const ROUNDS = 3;

/** Tasks of the main thread longer than this can be felt. */
const LONG_TASK_MS = 50;

interface Opened {
  readonly wholeMs: number;
  readonly longestTaskMs: number;
  readonly longTasks: number;
  readonly seekingTaskMs: number;
  readonly savingTaskMs: number;
}

/** Steps that are gone to, evenly over the run. */
const SEEKS = 24;

export async function openSuite(model: LoadedModel, tokens: number): Promise<readonly BenchRow[]> {
  const { ids } = writeSyntheticHistory(tokens, 1, (text) => model.tokenizer.encode(text));
  const text = model.tokenizer.decode(ids);
  const vite = await startVite('open-bench');
  const browser = await launchChromium();
  try {
    const { page } = await openPage(browser, { timeoutMs: PATIENCE_MS, acceptDownloads: true });
    // tsx wraps named functions in a helper, which what is evaluated in the page does not bring along.
    await page.addInitScript('globalThis.__name = (value) => value;');
    await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
    const from = performance.now();
    const stored = await page.evaluate(
      async ([url, history]) => {
        const { storeSession } = (await import(url!)) as {
          storeSession: (text: string) => Promise<{ sessionId: string; step: number }>;
        };
        return storeSession(history!);
      },
      [`${vite.url}/tests/browser/engine-page.ts`, text],
    );
    console.error(`Stored ${ids.length} tokens, ${stored.step} refocuses, in ${secondsSince(from)} s.`);
    const opened: Opened[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      opened.push(await open(page, sessionAddress(vite.url, stored.sessionId), stored.step));
      console.error(`Round ${round + 1} of ${ROUNDS} took ${secondsSince(began)} s.`);
    }
    const name = `${ids.length} stored tokens, ${stored.step} refocuses`;
    return [
      rowOf(
        `${name}: to the whole timeline`,
        opened.map(({ wholeMs }) => wholeMs),
        'ms',
      ),
      rowOf(
        `${name}: longest task`,
        opened.map(({ longestTaskMs }) => longestTaskMs),
        'ms',
      ),
      rowOf(
        `${name}: tasks over ${LONG_TASK_MS} ms`,
        opened.map(({ longTasks }) => longTasks),
        'tasks',
      ),
      rowOf(
        `${name}: longest task while seeking`,
        opened.map(({ seekingTaskMs }) => seekingTaskMs),
        'ms',
      ),
      rowOf(
        `${name}: longest task while saving the trace`,
        opened.map(({ savingTaskMs }) => savingTaskMs),
        'ms',
      ),
    ];
  } finally {
    await browser.close();
    await vite.close();
  }
}

function secondsSince(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(0);
}

/** From when the session begins to be opened, which is when the engine is there, to its last step on the page. */
async function open(page: Page, address: string, step: number): Promise<Opened> {
  await page.goto('about:blank');
  await page.addInitScript(() => {
    const seen = { tasks: [] as { at: number; ms: number }[] };
    Object.assign(globalThis, { longTasks: seen });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries())
        seen.tasks.push({ at: startTime, ms: duration });
    }).observe({ type: 'longtask', buffered: true });
  });
  await page.goto(address);
  const whole = await page.evaluate(
    async ([last, patienceMs]) => {
      // The slider counts from 0.
      const begun = (): number | undefined => performance.getEntriesByName('session-opening')[0]?.startTime;
      const shown = (): string | undefined =>
        document.querySelector<HTMLInputElement>('input[aria-label="Step"]')?.max;
      while (begun() === undefined || !(Number(shown()) >= last - 1)) {
        if (performance.now() > patienceMs) {
          const said = document.querySelector('[role="alert"]')?.textContent ?? 'nothing is said to be wrong';
          const what =
            begun() === undefined
              ? 'no stored session was opened'
              : `of ${last} steps ${shown() ?? 'none'} stand there`;
          throw new Error(`After ${patienceMs} ms ${what}; ${said}.`);
        }
        await new Promise(requestAnimationFrame);
      }
      await new Promise(requestAnimationFrame);
      return { from: begun()!, to: performance.now() };
    },
    [step, OPENING_MS] as const,
  );
  const tasks = await tasksSince(page, whole.from);
  const seekingTaskMs = await longestDuring(page, () => page.evaluate(seekThrough, [step, SEEKS] as const));
  const savingTaskMs = await longestDuring(page, () => saveTrace(page));
  return {
    wholeMs: whole.to - whole.from,
    longestTaskMs: Math.max(0, ...tasks),
    longTasks: tasks.length,
    seekingTaskMs,
    savingTaskMs,
  };
}

async function saveTrace(page: Page): Promise<void> {
  const download = page.waitForEvent('download');
  await runPaletteCommand(page, 'Save the trace as a zipped file');
  await (await download).path();
}

/** The longest task of the main thread meanwhile; 0 where none was long. */
async function longestDuring(page: Page, work: () => Promise<unknown>): Promise<number> {
  const from = await page.evaluate(() => performance.now());
  await work();
  return Math.max(0, ...(await tasksSince(page, from)));
}

/** Milliseconds of the tasks over 50 ms that ended after a time of the page's clock. */
async function tasksSince(page: Page, since: number): Promise<readonly number[]> {
  const tasks = await page.evaluate(async () => {
    // The observer is told a task late.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return (globalThis as unknown as { longTasks: { tasks: { at: number; ms: number }[] } }).longTasks.tasks;
  });
  return tasks.filter(({ at, ms }) => at + ms > since).map(({ ms }) => ms);
}
