/** Deterministic stand-ins for the models: embeddings and gists that are functions of ids and indices alone. */
import { DEFAULT_RUN_CONFIG } from '../trace/config.ts';
import type { RunConfig } from '../trace/config.ts';
import { encodeHalves } from '../../base/fp16.ts';
import type { Lod } from '../tree/ids.ts';
import type { Provenance } from '../tree/provenance.ts';
import { hashUint32 } from '../../base/rng.ts';
import { GistTree } from '../tree/gist-tree.ts';

export const HIDDEN_SIZE = 4;

export const DOCUMENT: Provenance = { role: 'document', documentId: 'd1', title: 'Harbour', wallClockMs: 0 };

export function embed(ids: Uint32Array): Float32Array {
  const out = new Float32Array(ids.length * HIDDEN_SIZE);
  for (let i = 0; i < out.length; i++) out[i] = unit(ids[Math.floor(i / HIDDEN_SIZE)]!, i % HIDDEN_SIZE);
  return out;
}

export function gistBits(lod: Lod, firstIndex: number, count: number): Uint16Array {
  const values = new Float32Array(count * HIDDEN_SIZE);
  for (let i = 0; i < values.length; i++) {
    values[i] = unit(lod, firstIndex + Math.floor(i / HIDDEN_SIZE), i % HIDDEN_SIZE);
  }
  return encodeHalves(values);
}

/** Make every gist that can be made. */
export function makeGists(tree: GistTree, step = 0): void {
  for (let work = tree.nextGistWork(64); work !== null; work = tree.nextGistWork(64)) {
    tree.setGists(work.lod, work.firstIndex, gistBits(work.lod, work.firstIndex, work.count), step);
  }
}

export function tokenIds(start: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => (start + i) % 997);
}

/** A tree over `tokens` tokens with all its gists. */
export function treeOf(tokens: number): GistTree {
  const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
  tree.appendTokens(tokenIds(0, tokens), DOCUMENT);
  makeGists(tree);
  return tree;
}

export function configOf(changes: Partial<RunConfig> = {}): RunConfig {
  return { ...DEFAULT_RUN_CONFIG, ...changes };
}

function unit(...values: readonly number[]): number {
  return hashUint32(...values) / 2 ** 31 - 1;
}
