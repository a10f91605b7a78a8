/** The whole loop in a real browser: real weights, real WebGPU (a software adapter), a small window. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyLayoutFrame } from '../../src/core/trace/layout-delta.ts';
import type { LayoutEntry, TelemetryEvent, TelemetryEventOf } from '../../src/core/trace/telemetry.ts';
import { createTokenizer } from '../../src/nn/model-folder/tokenizer.ts';
import type { SessionReport, SessionRequest } from './engine-page.ts';
import { launchChromium, type RunningVite, startVite } from './launch-chromium.ts';

interface ExampleQuestion {
  readonly question: string;
  readonly value: string;
  readonly factStartChar: number;
}

const EXAMPLES = join(import.meta.dirname, '../../public/examples');
const chronicle = readFileSync(join(EXAMPLES, 'harbour-chronicle.txt'), 'utf8');
const { questions } = JSON.parse(readFileSync(join(EXAMPLES, 'harbour-chronicle.json'), 'utf8')) as {
  questions: ExampleQuestion[];
};
const asked = { ...questions.find(({ value }) => value === 'Lorne')!, fact: 'Blythe map lies in Lorne' };

/** From a paragraph before the fact to well behind it, so that the fact has to be focused on again. */
const from = chronicle.lastIndexOf('\n\n', asked.factStartChar - 200) + 2;
const excerpt = chronicle.slice(from, chronicle.indexOf('\n\n', asked.factStartChar + 1000));

const config = { budgetTokens: 192, recentTokens: 64, refineSteps: 0, seed: 7, maxNewTokens: 24 };

function tokensOf(text: string): number {
  const read = (file: string): object =>
    JSON.parse(readFileSync(join(import.meta.dirname, '../../models/tiny', file), 'utf8')) as object;
  const tokenizer = createTokenizer(read('tokenizer.json'), read('tokenizer_config.json'), 'tokenizer.json');
  return tokenizer.encode(text).length;
}

let vite: RunningVite;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  vite = await startVite('engine');
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
});

afterAll(async () => {
  await browser.close();
  await vite.close();
});

function run(backend: SessionRequest['backend']): Promise<SessionReport> {
  const request: SessionRequest = { backend, text: excerpt, question: asked.question, config };
  // A script, not a function: vitest rewrites the imports of functions.
  return page.evaluate(
    `import('/tests/browser/engine-page.ts').then((module) => module.runSession(${JSON.stringify(request)}))`,
  );
}

function eventsOf<T extends TelemetryEvent['type']>(
  events: readonly TelemetryEvent[],
  type: T,
): TelemetryEventOf<T>[] {
  return events.filter((event): event is TelemetryEventOf<T> => event.type === type);
}

/** The layout of the working context after the last refocus before the first decoded token. */
function layoutWhenAnswering(events: readonly TelemetryEvent[]): readonly LayoutEntry[] {
  let layout: readonly LayoutEntry[] = [];
  for (const event of events) {
    if (event.type === 'decode') return layout;
    if (event.type === 'refocus') layout = applyLayoutFrame(layout, event.layout);
  }
  throw new Error('Nothing was decoded.');
}

describe('a session in the browser', () => {
  const reports = new Map<string, SessionReport>();

  it.each(['webgpu', 'wasm'] as const)('ingests, refocuses and answers on %s', async (backend) => {
    const report = await run(backend);
    reports.set(backend, report);
    const { boot, answer, events, problems } = report;
    expect(problems).toEqual([]);
    expect(boot.backend).toMatchObject({ id: backend, wasOverridden: true });
    expect(answer).toMatchObject({ ending: 'complete', role: 'assistant' });
    expect(eventsOf(events, 'violation')).toEqual([]);

    const frames = eventsOf(events, 'refocus');
    for (const { usedTokens } of frames) expect(usedTokens).toBeLessThanOrEqual(config.budgetTokens);
    const applied = frames.flatMap(({ actions }) => actions.filter(({ applied }) => applied));
    expect(applied.filter(({ kind }) => kind === 'collapse').length).toBeGreaterThan(5);
    expect(applied.filter(({ kind }) => kind === 'expand').length).toBeGreaterThan(0);

    const tokens = eventsOf(events, 'decode');
    expect(tokens.length).toBeGreaterThan(3);
    expect(answer.text).toContain(asked.value);
  });

  it('holds the fact in raw tokens when it answers', () => {
    const { events } = reports.get('webgpu')!;
    const raw = layoutWhenAnswering(events).filter(([lod]) => lod === 0);
    const factToken = tokensOf(excerpt.slice(0, excerpt.indexOf(asked.fact)));
    expect(raw.some(([, start, end]) => start <= factToken && factToken < end)).toBe(true);
  });

  it('decodes the same tokens on both backends', () => {
    const ids = (backend: string): number[] =>
      eventsOf(reports.get(backend)!.events, 'decode').map(({ tokenId }) => tokenId);
    expect(ids('webgpu')).toEqual(ids('wasm'));
  });
});
