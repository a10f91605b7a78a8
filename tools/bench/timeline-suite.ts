/**
 * How smooth timeline and tree explorer are in a real browser: 100,000 refocus steps over a 1,000,000-token tree,
 * panned, zoomed and played. Needs a Chromium; figures are milliseconds a frame, and processor time of the page's
 * main thread beside them, because a busy machine stretches the rest: its load is a row, too.
 */
import { loadavg } from 'node:os';
import type { Page } from 'playwright-core';
import { launchChromium, startVite } from '../../tests/browser/launch-chromium.ts';
import { quantile } from 'simple-statistics';
import { type BenchRow, rowOf } from './measure.ts';

const STEPS = 100_000;
const TOKENS = 1_000_000;
const FRAMES = 240;
/** Filling the run, on a slow and busy machine. */
const PATIENCE_MS = 600_000;

/** Commands run one a frame, round after round; each gesture ends where it began. */
const GESTURES = {
  'pan tokens': ['pan-right', 'pan-left'],
  'zoom tokens': [...repeated('zoom-in', 12), ...repeated('zoom-out', 12)],
  'zoom steps': [...repeated('rows-higher', 12), ...repeated('rows-lower', 12)],
  'step through': repeated('forward-fast', 24),
} as const satisfies Readonly<Record<string, readonly string[]>>;

export async function timelineSuite(): Promise<readonly BenchRow[]> {
  const vite = await startVite('timeline-bench');
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
    await page.evaluate(async (url) => {
      const { mountTimeline } = (await import(url)) as { mountTimeline: () => void };
      mountTimeline();
    }, `${vite.url}/tests/browser/timeline-page.ts`);
    await page.evaluate(([steps, tokens]) => window.timelinePage!.fill(steps!, tokens!), [STEPS, TOKENS]);
    const rows: BenchRow[] = [];
    for (const [name, commands] of Object.entries(GESTURES)) {
      await page.evaluate((step) => {
        window.timelinePage!.seekTo(step);
      }, STEPS / 2);
      rows.push(...(await measure(page, name, commands)));
    }
    rows.push(rowOf(`heap of ${STEPS} steps`, [(await keptBytes(page)) / 2 ** 20], 'MiB'));
    await page.evaluate((tokens) => {
      window.timelinePage!.plant(tokens);
      window.timelinePage!.command('explorer');
    }, TOKENS);
    for (const name of ['pan tokens', 'zoom tokens'] as const) {
      await page.evaluate(() => {
        window.timelinePage!.command('fit');
      });
      rows.push(...(await measure(page, `explorer, ${name}`, GESTURES[name])));
    }
    rows.push(rowOf('load of the machine over the last minute', [loadavg()[0]!], 'processes'));
    return rows;
  } finally {
    await browser.close();
    await vite.close();
  }
}

async function measure(page: Page, name: string, commands: readonly string[]): Promise<BenchRow[]> {
  const spentMs = await mainThreadClock(page);
  const { intervalsMs, workMs } = await page.evaluate(
    ([ids, frames]) => window.timelinePage!.drive(ids as never, frames),
    [commands, FRAMES] as const,
  );
  return [
    p95(`${name}: p95 frame`, intervalsMs),
    p95(`${name}: p95 work in a frame`, workMs),
    rowOf(`${name}: processor time a frame`, [(await spentMs()) / workMs.length], 'ms'),
  ];
}

/** Processor time of the page's main thread since the call: what other programs take does not count. */
async function mainThreadClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const taskSeconds = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  };
  const before = await taskSeconds();
  return async () => {
    const spentMs = ((await taskSeconds()) - before) * 1000;
    await session.detach();
    return spentMs;
  };
}

/** What the page holds once the garbage is gone. */
async function keptBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const usage = await session.send('Runtime.getHeapUsage');
  await session.detach();
  // Typed arrays lie beside the heap.
  return usage.usedSize + usage.backingStorageSize;
}

/** The 95th percentile in the median's place; from and to are those of all frames. */
function p95(name: string, values: readonly number[]): BenchRow {
  return { ...rowOf(name, values, 'ms'), ours: quantile([...values], 0.95) };
}

function repeated<T>(value: T, times: number): T[] {
  return Array.from({ length: times }, () => value);
}
