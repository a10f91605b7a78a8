/** Loads the same GGUF file into this engine or into a peer, for the benchmark that compares them. */
import { Wllama } from '@wllama/wllama';
import peerBinary from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import { selectBackend } from '../../src/nn/backend/device.ts';
import { BROWSER_WASM_PATHS } from '../../src/nn/backend/wasm-paths-browser.ts';
import { BaseModel } from '../../src/nn/base-model/base-model.ts';
import { readGgufBase } from '../../src/nn/loader/published-base.ts';
import type { DecodeSession } from '../../src/nn/ports.ts';

/** Milliseconds of one part of the work. */
export interface Timed {
  readonly prefillTokens: number;
  readonly prefillMs: number;
  readonly decodedTokens: number;
  readonly decodeMs: number;
}

export interface PeersPage {
  /** @returns in a sentence what runs. */
  openOurs(url: string, capacitySlots: number): Promise<string>;
  openPeer(url: string, capacitySlots: number, threads: number): Promise<string>;
  /** @param isCached - the same slots were run before: only decoding is timed. */
  runOurs(slots: number, decoded: number, isCached: boolean): Promise<Timed>;
  runPeer(slots: number, decoded: number, isCached: boolean): Promise<Timed>;
}

declare global {
  interface Window {
    peersPage?: PeersPage;
  }
}

async function fetched(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status} for ${url}`);
  return response.arrayBuffer();
}

export function mountPeers(): void {
  let base: BaseModel | null = null;
  let session: DecodeSession | null = null;
  let peer: Wllama | null = null;
  window.peersPage = {
    async openOurs(url, capacitySlots) {
      const { reason } = await selectBackend('wasm', { wasmPaths: BROWSER_WASM_PATHS });
      const bytes = await fetched(url);
      const source = { open: () => Promise.resolve(bytes), read: () => Promise.resolve(bytes) };
      const published = await readGgufBase(source, 'weights.gguf');
      base = await BaseModel.open(published.config, published.weights);
      session = base.createDecodeSession(capacitySlots);
      return reason;
    },
    async openPeer(url, capacitySlots, threads) {
      peer = new Wllama({ default: peerBinary }, { suppressNativeLog: true });
      peer.setCompat(null);
      await peer.loadModel([new Blob([await fetched(url)])], {
        n_ctx: capacitySlots,
        n_threads: threads,
        n_gpu_layers: 0,
      });
      return `llama.cpp ${Wllama.getLibllamaVersion()}, ${peer.getNumThreads()} threads`;
    },
    async runOurs(slots, decoded, isCached) {
      if (base === null || session === null) throw new Error('Nothing is open.');
      const ids = Uint32Array.from({ length: slots }, (_, i) => 1000 + ((i * 37) % 20_000));
      const began = performance.now();
      if (!isCached) {
        session.truncate(0);
        await session.append(base.embed(ids), Float64Array.from(ids.keys()), 'last');
      }
      const prefilled = performance.now();
      session.truncate(slots);
      for (let i = 0; i < decoded; i++) {
        const logits = await session.append(base.embed([ids[i]!]), Float64Array.of(slots + i), 'last');
        if (!Number.isFinite(logits[0])) throw new Error('A logit is no number.');
      }
      return {
        prefillTokens: isCached ? 0 : slots,
        prefillMs: prefilled - began,
        decodedTokens: decoded,
        decodeMs: performance.now() - prefilled,
      };
    },
    async runPeer(slots, decoded, isCached) {
      if (peer === null) throw new Error('Nothing is open.');
      // `cache_prompt` is read by llama.cpp and missing in the type.
      const options = {
        prompt: ' harbour'.repeat(slots),
        max_tokens: decoded,
        temperature: 0,
        cache_prompt: isCached,
        ignore_eos: true,
      };
      const { timings } = await peer.createCompletion(options);
      if (timings === undefined) throw new Error('The peer says no times.');
      return {
        prefillTokens: isCached ? 0 : timings.prompt_n,
        prefillMs: timings.prompt_ms,
        decodedTokens: timings.predicted_n,
        decodeMs: timings.predicted_ms,
      };
    },
  };
}
