/**
 * This engine against llama.cpp in WASM (`@wllama/wllama`): the same GGUF file, the same Chromium, alternately, and
 * what each renderer holds. Needs `MEGACONTEXT_SMOLLM2` and a Chromium.
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { quantile } from 'simple-statistics';
import { launchChromium, startVite } from '../../tests/browser/launch-chromium.ts';
import type { Timed } from '../../tests/browser/base-worker.ts';
import { OptionError } from '../command-line.ts';
import type { BenchRow } from './measure.ts';
import { rendererProcesses, residentBytes } from './renderers.ts';

const SLOTS = [512, 2048] as const;
const CAPACITY_SLOTS = 2560;
const DECODED = 8;
const PATIENCE_MS = 1_200_000;

/**
 * @param rounds - of decoding; prefill, which takes long, is run once a size.
 * @param threads - of both; where they are several, this engine on one runs along and is compared, too.
 */
export async function peersSuite(rounds: number, threads = 1): Promise<readonly BenchRow[]> {
  const file = process.env['MEGACONTEXT_SMOLLM2'];
  if (file === undefined) {
    throw new OptionError(
      'Set MEGACONTEXT_SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf (.ci/smollm2 fetches it).',
    );
  }
  const vite = await startVite('peers-bench');
  const weights = await serveFile(file);
  // A browser each, one after the other: what the renderers of one hold is one engine's.
  const browsers: Browser[] = [];
  const renderers: string[][] = [];
  try {
    const pages: Page[] = [];
    for (let i = 0; i < (threads > 1 ? 3 : 2); i++) {
      const others = rendererProcesses();
      const browser = await launchChromium();
      browsers.push(browser);
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.goto(`${vite.url}/public/examples/harbour-chronicle.json`);
      await page.evaluate(async (url) => {
        const { mountPeers } = (await import(url)) as { mountPeers: () => void };
        mountPeers();
      }, `${vite.url}/tests/browser/peers-page.ts`);
      renderers.push(rendererProcesses().filter((pid) => !others.includes(pid)));
      pages.push(page);
    }
    const [ours, peer, alone] = pages as [Page, Page, Page?];
    const openOurs = (page: Page, count: number): Promise<string> =>
      page.evaluate((given) => window.peersPage!.openOurs(...given), [
        weights.url,
        CAPACITY_SLOTS,
        count,
      ] as const);
    console.log(await openOurs(ours, threads));
    if (alone !== undefined) await openOurs(alone, 1);
    const peerName = await peer.evaluate(
      ([url, slots, count]) => window.peersPage!.openPeer(url, slots, count),
      [weights.url, CAPACITY_SLOTS, threads] as const,
    );
    const run: Runs = {
      ours: (...given) => ours.evaluate((each) => window.peersPage!.runOurs(...each), given),
      peer: (...given) => peer.evaluate((each) => window.peersPage!.runPeer(...each), given),
      ...(alone !== undefined && {
        alone: (...given) => alone.evaluate((each) => window.peersPage!.runOurs(...each), given),
      }),
    };
    const rows: BenchRow[] = [];
    for (const slots of SLOTS) rows.push(...(await compareAt(slots, rounds, run, threads, peerName)));
    const [held, peerHeld] = renderers.map((pids) => residentBytes(pids) / 2 ** 20) as [number, number];
    rows.push({ ...row('resident memory of the renderer', [held], [peerHeld], peerName), unit: 'MiB' });
    return rows;
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await vite.close();
    weights.server.close();
  }
}

type Run = (slots: number, decoded: number, isCached: boolean) => Promise<Timed>;

interface Runs {
  readonly ours: Run;
  readonly peer: Run;
  /** Ours on one thread, where `ours` has several. */
  readonly alone?: Run;
}

async function compareAt(
  slots: number,
  rounds: number,
  run: Runs,
  threads: number,
  peerName: string,
): Promise<readonly BenchRow[]> {
  const prefills: Timed[][] = [];
  const decodes: Timed[][] = [];
  // One after the other: all want the same processors.
  for (let round = 0; round <= rounds; round++) {
    const isFirst = round === 0;
    const times: Timed[] = [];
    for (const each of [run.ours, run.peer, run.alone]) {
      if (each !== undefined) times.push(await each(slots, isFirst ? 1 : DECODED, !isFirst));
    }
    (isFirst ? prefills : decodes).push(times);
  }
  const perPrefilled = ({ prefillMs, prefillTokens }: Timed): number => prefillMs / prefillTokens;
  const perDecoded = ({ decodeMs, decodedTokens }: Timed): number => decodeMs / decodedTokens;
  const against = (other: number, name: string, otherName: string): readonly BenchRow[] =>
    (
      [
        [`prefill ${slots} slots, a token${name}`, prefills, perPrefilled],
        [`decode at ${slots} slots, a token${name}`, decodes, perDecoded],
      ] as const
    ).map(([title, rows, per]) =>
      row(
        title,
        rows.map((times) => per(times[0]!)),
        rows.map((times) => per(times[other]!)),
        otherName,
      ),
    );
  return [
    ...against(1, '', peerName),
    ...(run.alone === undefined ? [] : against(2, `, ${threads} threads`, 'this engine, one thread')),
  ];
}

function row(name: string, ours: readonly number[], peer: readonly number[], peerName: string): BenchRow {
  const ratios = ours.map((own, i) => peer[i]! / own);
  return {
    name,
    ours: quantile([...ours], 0.5),
    oursMin: Math.min(...ours),
    oursMax: Math.max(...ours),
    peer: quantile([...peer], 0.5),
    peerName,
    unit: 'ms',
    ratio: quantile(ratios, 0.5),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    n: ours.length,
  };
}

async function serveFile(path: string): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((_, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    response.setHeader('Content-Length', statSync(path).size);
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.gguf`, server };
}
