/** A base on the WASM kernels in a worker of its own, as the engine has it: for what measures and compares threads. */
import { selectBackend } from '../../src/nn/backend/device.ts';
import { BROWSER_WASM_PATHS } from '../../src/nn/backend/wasm-paths-browser.ts';
import { BaseModel } from '../../src/nn/base-model/base-model.ts';
import { readGgufBase } from '../../src/nn/loader/published-base.ts';
import type { DecodeSession, ThreadReport } from '../../src/nn/ports.ts';
import { syntheticBase, syntheticConfig } from '../../src/nn/testing/synthetic-weights.ts';

/** Milliseconds of one part of the work. */
export interface Timed {
  readonly prefillTokens: number;
  readonly prefillMs: number;
  readonly decodedTokens: number;
  readonly decodeMs: number;
}

export type ToBaseWorker =
  /** A GGUF file; without an address, random weights of a base large enough for threads. */
  | {
      readonly kind: 'open';
      readonly url: string | null;
      readonly capacitySlots: number;
      readonly threads: number;
    }
  /** @param isCached - the same slots were run before: only decoding is timed. */
  | { readonly kind: 'run'; readonly slots: number; readonly decoded: number; readonly isCached: boolean };

export interface FromBaseWorker {
  readonly threads?: ThreadReport | null;
  /** With the sum of all logits' bits: the same for the same logits. */
  readonly timed?: Timed & { readonly bits: number };
  readonly error?: string;
}

let base: BaseModel | null = null;
let session: DecodeSession | null = null;

async function open(url: string | null, capacitySlots: number, threads: number): Promise<FromBaseWorker> {
  const backend = await selectBackend('wasm', { wasmPaths: BROWSER_WASM_PATHS, threads });
  if (url === null) {
    const config = syntheticConfig({ hidden_size: 512, intermediate_size: 1408, num_hidden_layers: 2 });
    base = await BaseModel.open(config, syntheticBase(config));
  } else {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status} for ${url}`);
    const bytes = await response.arrayBuffer();
    const source = { open: () => Promise.resolve(bytes), read: () => Promise.resolve(bytes) };
    const published = await readGgufBase(source, 'weights.gguf');
    base = await BaseModel.open(published.config, published.weights);
  }
  session = base.createDecodeSession(capacitySlots);
  return { threads: backend.threads };
}

async function run(slots: number, decoded: number, isCached: boolean): Promise<FromBaseWorker> {
  if (base === null || session === null) throw new Error('Nothing is open.');
  const known = base.vocabularySize - 1000;
  const ids = Uint32Array.from({ length: slots }, (_, i) => 1000 + ((i * 37) % known));
  let bits = 0;
  const add = (logits: Float32Array): void => {
    for (const word of new Int32Array(logits.buffer)) bits = (Math.imul(bits, 31) + word) | 0;
  };
  const began = performance.now();
  if (!isCached) {
    session.truncate(0);
    add(await session.append(base.embed(ids), Float64Array.from(ids.keys()), 'last'));
  }
  const prefilled = performance.now();
  session.truncate(slots);
  for (let i = 0; i < decoded; i++) {
    const logits = await session.append(base.embed([ids[i]!]), Float64Array.of(slots + i), 'last');
    if (!Number.isFinite(logits[0])) throw new Error('A logit is no number.');
    add(logits);
  }
  const decodeMs = performance.now() - prefilled;
  const prefillTokens = isCached ? 0 : slots;
  return {
    timed: { prefillTokens, prefillMs: prefilled - began, decodedTokens: decoded, decodeMs, bits },
  };
}

addEventListener('message', ({ data }: MessageEvent<ToBaseWorker>) => {
  const answer =
    data.kind === 'open'
      ? open(data.url, data.capacitySlots, data.threads)
      : run(data.slots, data.decoded, data.isCached);
  answer.then(postMessage, (error: unknown) => {
    postMessage({ error: String(error) } satisfies FromBaseWorker);
  });
});
