/** Loads the same GGUF file into this engine or into a peer, for the benchmark that compares them. */
import { Wllama } from '@wllama/wllama';
import peerBinary from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import type { FromBaseWorker, Timed, ToBaseWorker } from './base-worker.ts';

export interface PeersPage {
  /**
   * In a worker, as the page has it. @param url - null for random weights.
   *
   * @returns in a sentence how many threads run.
   */
  openOurs(url: string | null, capacitySlots: number, threads: number): Promise<string>;
  openPeer(url: string, capacitySlots: number, threads: number): Promise<string>;
  /** @param isCached - the same slots were run before: only decoding is timed. */
  runOurs(slots: number, decoded: number, isCached: boolean): Promise<Timed & { readonly bits: number }>;
  runPeer(slots: number, decoded: number, isCached: boolean): Promise<Timed>;
}

declare global {
  interface Window {
    peersPage?: PeersPage;
  }
}

export function mountPeers(): void {
  let worker: Worker | null = null;
  let peer: Wllama | null = null;
  const ask = (message: ToBaseWorker): Promise<FromBaseWorker> => {
    const asked = (worker ??= new Worker(new URL('./base-worker.ts', import.meta.url), { type: 'module' }));
    return new Promise((resolve, reject) => {
      asked.onmessage = ({ data }: MessageEvent<FromBaseWorker>) => {
        if (data.error === undefined) resolve(data);
        else reject(new Error(data.error));
      };
      asked.onerror = ({ message: why }) => {
        reject(new Error(why));
      };
      asked.postMessage(message);
    });
  };
  window.peersPage = {
    async openOurs(url, capacitySlots, threads) {
      const { threads: report } = await ask({ kind: 'open', url, capacitySlots, threads });
      return report?.reason ?? 'Without kernels.';
    },
    async openPeer(url, capacitySlots, threads) {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`HTTP ${response.status} for ${url}`);
      peer = new Wllama({ default: peerBinary }, { suppressNativeLog: true });
      peer.setCompat(null);
      await peer.loadModel([await response.blob()], {
        n_ctx: capacitySlots,
        n_threads: threads,
        n_gpu_layers: 0,
      });
      return `llama.cpp ${Wllama.getLibllamaVersion()}, ${peer.getNumThreads()} threads`;
    },
    async runOurs(slots, decoded, isCached) {
      return (await ask({ kind: 'run', slots, decoded, isCached })).timed!;
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
