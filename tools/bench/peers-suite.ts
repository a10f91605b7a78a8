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
import type { Timed } from '../../tests/browser/peers-page.ts';
import { OptionError } from '../command-line.ts';
import type { BenchRow } from './measure.ts';
import { rendererProcesses, residentBytes } from './renderers.ts';

const SLOTS = [512, 2048] as const;
const CAPACITY_SLOTS = 2560;
const DECODED = 8;
const PATIENCE_MS = 1_200_000;

/**
 * @param rounds - of decoding; prefill, which takes long, is run once a size.
 * @param peerThreads - the peer's; ours runs on one.
 */
export async function peersSuite(rounds: number, peerThreads = 1): Promise<readonly BenchRow[]> {
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
    for (let i = 0; i < 2; i++) {
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
    const [ours, peer] = pages as [Page, Page];
    await ours.evaluate(([url, slots]) => window.peersPage!.openOurs(url, slots), [
      weights.url,
      CAPACITY_SLOTS,
    ] as const);
    const peerName = await peer.evaluate(
      ([url, slots, threads]) => window.peersPage!.openPeer(url, slots, threads),
      [weights.url, CAPACITY_SLOTS, peerThreads] as const,
    );
    const rows: BenchRow[] = [];
    for (const slots of SLOTS) rows.push(...(await compareAt(slots, rounds, ours, peer, peerName)));
    const [held, peerHeld] = renderers.map((pids) => residentBytes(pids) / 2 ** 20) as [number, number];
    rows.push({ ...row('resident memory of the renderer', [held], [peerHeld], peerName), unit: 'MiB' });
    return rows;
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await vite.close();
    weights.server.close();
  }
}

async function compareAt(
  slots: number,
  rounds: number,
  ours: Page,
  peer: Page,
  peerName: string,
): Promise<readonly BenchRow[]> {
  const run = (isCached: boolean, decoded: number): Promise<readonly [Timed, Timed]> =>
    // One after the other: both want the same processors.
    (async () => {
      const arguments_ = [slots, decoded, isCached] as const;
      const first = await ours.evaluate((given) => window.peersPage!.runOurs(...given), arguments_);
      return [first, await peer.evaluate((given) => window.peersPage!.runPeer(...given), arguments_)];
    })();
  const prefill = await run(false, 1);
  const decode: (readonly [Timed, Timed])[] = [];
  for (let round = 0; round < rounds; round++) decode.push(await run(true, DECODED));
  const perPrefilled = prefill.map(({ prefillMs, prefillTokens }) => prefillMs / prefillTokens);
  const perDecoded = ({ decodeMs, decodedTokens }: Timed): number => decodeMs / decodedTokens;
  return [
    row(`prefill ${slots} slots, a token`, [perPrefilled[0]!], [perPrefilled[1]!], peerName),
    row(
      `decode at ${slots} slots, a token`,
      decode.map(([own]) => perDecoded(own)),
      decode.map(([, other]) => perDecoded(other)),
      peerName,
    ),
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
