/** Reading text with the whole loop, by cadence: tokens per second of processor time, gists and storage included. */
import { configWith } from '../command-line.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { writeSyntheticHistory } from '../synthetic-history.ts';
import { type BenchRow, rowOf } from './measure.ts';
import { readAndStore } from './headless-run.ts';

const CADENCES = ['block', '256', '1024'] as const;
const TOKENS = 4096;

/**
 * @param tokens - also read so many with the cadence that is chosen by itself, once; 0 leaves that out.
 */
export async function ingestSuite(
  model: LoadedModel,
  rounds: number,
  tokens: number,
): Promise<readonly BenchRow[]> {
  const encode = (text: string): Uint32Array => model.tokenizer.encode(text);
  const { ids } = writeSyntheticHistory(Math.max(TOKENS, tokens), 1, encode);
  const run = async (cadence: string, piece: Uint32Array): Promise<{ cpuMs: number; wallMs: number }> => {
    const from = process.cpuUsage();
    const startedAt = performance.now();
    const { close } = await readAndStore(model, piece, configWith(model, { refocusCadence: cadence }));
    const { user, system } = process.cpuUsage(from);
    const wallMs = performance.now() - startedAt;
    await close();
    return { cpuMs: (user + system) / 1000, wallMs };
  };
  const speeds = new Map<string, number[]>(CADENCES.map((cadence) => [cadence, []]));
  const piece = ids.subarray(0, TOKENS);
  for (let round = 0; round <= rounds; round++) {
    for (const cadence of CADENCES) {
      const { cpuMs } = await run(cadence, piece);
      // The first round compiles and fills caches.
      if (round > 0) speeds.get(cadence)!.push(piece.length / (cpuMs / 1000));
    }
  }
  const rows = CADENCES.map((cadence) =>
    rowOf(`ingest, refocus cadence ${cadence}`, speeds.get(cadence)!, 'tokens per CPU second'),
  );
  if (tokens === 0) return rows;
  const { cpuMs, wallMs } = await run('automatic', ids.subarray(0, tokens));
  return [
    ...rows,
    rowOf(`ingest of ${tokens} tokens, automatic: processor`, [cpuMs / 1000], 's'),
    rowOf(`ingest of ${tokens} tokens, automatic: by the clock`, [wallMs / 1000], 's'),
  ];
}
