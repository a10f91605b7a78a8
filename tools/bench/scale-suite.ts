/**
 * A history of ten million tokens: opening it, going on with it, and what a token of an answer costs beside ten
 * thousand. The stored session is written by `long-session.ts`. Once headless over a store in memory, and once in
 * Chromium over IndexedDB, engine and page.
 */
import { mean } from 'simple-statistics';
import { launchChromium, startVite, WITHOUT_GPU } from '../../tests/browser/launch-chromium.ts';
import { openPage, sessionAddress } from '../../tests/browser/open-page.ts';
import { systemClock } from '../../src/base/clock.ts';
import { PostingSegment } from '../../src/core/lexical/posting-segment.ts';
import { HistoryWords } from '../../src/core/lexical/history-words.ts';
import { PIECES_REACH_TOKENS, type SealedIndex } from '../../src/core/lexical/window-index.ts';
import type { GistTree } from '../../src/core/tree/gist-tree.ts';
import { K } from '../../src/core/tree/ids.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { storedSession } from '../../src/runtime/engine/session-opening.ts';
import { createMemoryStore } from '../../src/storage/memory/memory-store.ts';
import { configWith } from '../command-line.ts';
import { writeSyntheticHistory } from '../synthetic-history.ts';
import { answerCost, longHistory } from './headless-run.ts';
import { writeLongSession } from './long-session.ts';
import { type BenchRow, rowOf, time } from './measure.ts';
import { rendererProcesses, residentBytes } from './renderers.ts';
import { seekThrough } from './seeking.ts';

const PATIENCE_MS = 3_600_000;
const SHORT_TOKENS = 10_000;
const WORDS = 40_000;
/** Steps that the page goes to, evenly over the run. */
const SEEKS = 24;
/** Over the short history the first blocks of it fill the working context. */
const ANSWER_TOKENS = 32 * K;
const MIB = 2 ** 20;

/** @param browserTokens - in Chromium; 0 leaves that out. */
export async function scaleSuite(
  model: LoadedModel,
  rounds: number,
  tokens: number,
  browserTokens: number,
): Promise<readonly BenchRow[]> {
  const { ids: words } = writeSyntheticHistory(WORDS, 1, (text) => model.tokenizer.encode(text));
  return [
    ...(await headless(model, rounds, words, tokens)),
    ...(await tokenCosts(model, rounds, tokens)),
    ...(browserTokens === 0 ? [] : await inChromium(rounds, words, browserTokens)),
  ];
}

async function headless(
  model: LoadedModel,
  rounds: number,
  words: Uint32Array,
  tokens: number,
): Promise<readonly BenchRow[]> {
  const store = createMemoryStore();
  const writing = performance.now();
  const { id } = await writeLongSession(store, partsOf(model), words, tokens);
  console.error(`Wrote ${tokens} tokens in ${((performance.now() - writing) / 1000).toFixed(0)} s.`);
  const figures = { open: [], refocus: [], append: [], search: [] } as Record<
    'open' | 'refocus' | 'append' | 'search',
    number[]
  >;
  let residentMib = 0;
  for (let round = 0; round < rounds; round++) {
    const handle = await store.open(id);
    const from = performance.now();
    const { session } = await storedSession(handle, {
      model,
      backend: 'bench',
      clock: systemClock,
      defaults: configWith(model, {}),
      notify: () => undefined,
    });
    figures.open.push(performance.now() - from);
    figures.refocus.push(await time(() => session.refocus().then(() => undefined)));
    figures.append.push(
      await time(async () => {
        session.ingestText('The keeper wrote the tide into the log again.', 'More', 'document');
        await session.step();
      }),
    );
    figures.search.push(
      await time(() =>
        session.query({ kind: 'searchText', query: 'lantern', limit: 20 }).then(() => undefined),
      ),
    );
    residentMib = Math.max(residentMib, process.memoryUsage().rss / MIB);
    await session.close();
  }
  const at = `${tokens} tokens, store in memory`;
  return [
    rowOf(`${at}: open`, figures.open, 'ms'),
    rowOf(`${at}: first refocus`, figures.refocus, 'ms'),
    rowOf(`${at}: append and refocus`, figures.append, 'ms'),
    rowOf(`${at}: search for a word, whole history`, figures.search, 'ms'),
    rowOf(`${at}: resident memory, store included`, [residentMib], 'MiB'),
  ];
}

/** Alternately over both lengths, so that what else runs on the machine counts for both. */
async function tokenCosts(model: LoadedModel, rounds: number, tokens: number): Promise<readonly BenchRow[]> {
  // What a turn's end looks through on purpose grows with the history; what follows it is measured.
  const config = configWith(model, { lookAheadPages: 0 });
  const histories = [SHORT_TOKENS, tokens].map((length) => {
    const tree = longHistory(model, length, 1);
    return { tree, index: indexOf(tree, model) };
  });
  const ratios: number[] = [];
  const spent: number[][] = [[], []];
  const scored: number[][] = [[], []];
  const repaired: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const costs: number[] = [];
    for (const [i, { tree, index }] of histories.entries()) {
      const { decodeMs, focusMs, scoreMs } = await answerCost(model, tree.fork(), config, {
        answerTokens: ANSWER_TOKENS,
        index,
        whenFull: true,
      });
      costs.push(mean([...decodeMs]) + mean([...focusMs]) / K);
      spent[i]!.push(costs[i]!);
      scored[i]!.push(mean([...scoreMs]));
      repaired[i]!.push(mean([...focusMs]) - mean([...scoreMs]));
    }
    ratios.push(costs[1]! / costs[0]!);
  }
  return [
    ...[SHORT_TOKENS, tokens].flatMap((length, i) => [
      rowOf(`a token of an answer over ${length}, focus included`, spent[i]!, 'ms'),
      rowOf(`a refocus of an answer over ${length}: score and allocate`, scored[i]!, 'ms'),
      rowOf(`a refocus of an answer over ${length}: read again what moved`, repaired[i]!, 'ms'),
    ]),
    rowOf(`a token of an answer, focus included: ${tokens} over ${SHORT_TOKENS}`, ratios, '× the time'),
  ];
}

function indexOf(tree: GistTree, model: LoadedModel): SealedIndex {
  const words = new HistoryWords(tree, () => model.tokenizer.createStreamDecoder());
  const segments = words.seal()!.segments.map(({ bytes }) => new PostingSegment(bytes));
  const { tokenCount } = tree;
  return { segments, lastTokens: tree.tokens(Math.max(0, tokenCount - PIECES_REACH_TOKENS), tokenCount) };
}

function partsOf({ id, hash, base, manifest, tokenizer, gistNet }: LoadedModel) {
  return { id, hash, hiddenSize: base.hiddenSize, manifest, tokenizer, gistVersion: gistNet.version };
}

interface PageFigures {
  readonly openMs: number;
  readonly refocusMs: number;
  readonly appendMs: number;
  readonly searchMs: number;
  readonly step: number;
}

async function inChromium(rounds: number, words: Uint32Array, tokens: number): Promise<readonly BenchRow[]> {
  const vite = await startVite('scale-bench');
  const others = rendererProcesses();
  const browser = await launchChromium(WITHOUT_GPU);
  try {
    const { page } = await openPage(browser, { timeoutMs: PATIENCE_MS });
    // The compiler that runs this names functions by a helper that the page does not have.
    await page.addInitScript('globalThis.__name = (named) => named');
    await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
    const module = `${vite.url}/tests/browser/long-session-page.ts`;
    const { id, step, seconds } = await page.evaluate(
      async ([url, text, length]) => {
        const { storeLongSession } = (await import(url)) as {
          storeLongSession: (
            ids: readonly number[],
            tokens: number,
          ) => Promise<{ id: string; step: number; seconds: number }>;
        };
        return storeLongSession(text, length);
      },
      [module, [...words], tokens] as const,
    );
    console.error(`Wrote ${tokens} tokens to IndexedDB in ${seconds.toFixed(0)} s.`);
    const engine: PageFigures[] = [];
    for (let round = 0; round < rounds; round++) {
      await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
      engine.push(
        await page.evaluate(
          async ([url, session]) => {
            const { measureLongSession } = (await import(url)) as {
              measureLongSession: (id: string) => Promise<PageFigures>;
            };
            return measureLongSession(session);
          },
          [module, id] as const,
        ),
      );
    }
    await page.goto('about:blank');
    await page.goto(sessionAddress(vite.url, id));
    const shownMs = await page.evaluate(async () => {
      const begun = (): number | undefined => performance.getEntriesByName('session-opening')[0]?.startTime;
      const isShown = (): boolean =>
        Number(document.querySelector<HTMLInputElement>('input[aria-label="Step"]')?.max) >= 1;
      while (begun() === undefined || !isShown()) await new Promise(requestAnimationFrame);
      return performance.now() - begun()!;
    });
    const wholeMs = await page.evaluate(async (last) => {
      const max = (): number =>
        Number(document.querySelector<HTMLInputElement>('input[aria-label="Step"]')?.max);
      // The slider counts from 0.
      while (max() < last - 1) await new Promise(requestAnimationFrame);
      return performance.now() - performance.getEntriesByName('session-opening')[0]!.startTime;
    }, step);
    const seekMs = await page.evaluate(seekThrough, [step, SEEKS] as const);
    const mib = residentBytes(rendererProcesses().filter((pid) => !others.includes(pid))) / MIB;
    const at = `${tokens} tokens, IndexedDB in Chromium`;
    const figures = (key: keyof PageFigures): number[] => engine.map((each) => each[key]);
    return [
      rowOf(`${at}: open, engine`, figures('openMs'), 'ms'),
      rowOf(`${at}: first refocus`, figures('refocusMs'), 'ms'),
      rowOf(`${at}: append and refocus`, figures('appendMs'), 'ms'),
      rowOf(`${at}: search for a word, whole history`, figures('searchMs'), 'ms'),
      rowOf(`${at}: the page shows it`, [shownMs], 'ms'),
      rowOf(`${at}: the page has all steps`, [wholeMs], 'ms'),
      rowOf(`${at}: go to a step, ${SEEKS} of them over the whole run`, seekMs, 'ms'),
      rowOf(`${at}: resident memory of the renderer`, [mib], 'MiB'),
    ];
  } finally {
    await browser.close();
    await vite.close();
  }
}
