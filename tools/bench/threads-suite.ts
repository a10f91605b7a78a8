/** What threads of the WASM kernels gain under Node: the same base on several and on one, alternately in one run. */
import type { LanguageModel } from '../../src/nn/ports.ts';
import { openModel } from '../open-model.ts';
import { type BenchRow, compare } from './measure.ts';

const PREFILL_SLOTS = 512;
const DECODED = 8;

/**
 * The shipped base, and SmolLM2 where `MEGACONTEXT_SMOLLM2` says where it is.
 *
 * @param threads - at least 2.
 */
export async function threadsSuite(rounds: number, threads: number): Promise<readonly BenchRow[]> {
  const published = process.env['MEGACONTEXT_SMOLLM2'];
  const names = [
    ['tiny', 'tiny'] as const,
    ...(published === undefined ? [] : [['SmolLM2', published] as const]),
  ];
  const rows: BenchRow[] = [];
  for (const [title, name] of names) {
    // This one first: the threads of the other end when a backend is started anew.
    const alone = await openModel(name, 'wasm');
    const { model, backend } = await openModel(name, 'wasm', threads);
    try {
      if (backend.threads?.count !== threads) throw new Error(backend.threads?.reason ?? 'No kernels run.');
      rows.push(...(await compareThreads(title, threads, rounds, model.base, alone.model.base)));
    } finally {
      model.dispose();
      alone.model.dispose();
    }
  }
  return rows;
}

async function compareThreads(
  title: string,
  threads: number,
  rounds: number,
  base: LanguageModel,
  alone: LanguageModel,
): Promise<readonly BenchRow[]> {
  const [ours, peer] = [workOf(base), workOf(alone)];
  const peerName = 'one thread';
  try {
    const named = (name: string) => ({ name: `${title}, ${name}, ${threads} threads`, rounds, peerName });
    return [
      await compare({
        ...named(`prefill ${PREFILL_SLOTS} slots`),
        ours: ours.prefill,
        peer: peer.prefill,
      }),
      await compare({
        ...named(`decode ${DECODED} tokens behind them`),
        ours: ours.decode,
        peer: peer.decode,
      }),
    ];
  } finally {
    ours.dispose();
    peer.dispose();
  }
}

function workOf(base: LanguageModel) {
  const session = base.createDecodeSession(PREFILL_SLOTS + DECODED);
  const ids = Uint32Array.from({ length: PREFILL_SLOTS }, (_, i) => (i * 37) % base.vocabularySize);
  return {
    prefill: async (): Promise<void> => {
      session.truncate(0);
      await session.append(base.embed(ids), Float64Array.from(ids.keys()), 'last');
    },
    decode: async (): Promise<void> => {
      session.truncate(PREFILL_SLOTS);
      for (let i = 0; i < DECODED; i++) {
        await session.append(base.embed([ids[i]!]), Float64Array.of(PREFILL_SLOTS + i), 'last');
      }
    },
    dispose: (): void => {
      session.dispose();
    },
  };
}
