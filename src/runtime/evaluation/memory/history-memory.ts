/** Builds the gist tree of a history, from a cache where there is one. */
import type { Lod } from '../../../core/tree/ids.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { crc32 } from '../../../base/crc32.ts';
import { GistBuilder } from '../../session/memory/gist-builder.ts';
import type { AskedQuestion } from '../cases/evaluation-case.ts';

/** Keeps the gists of histories between runs: they depend on base and GistNet alone. */
export interface GistCache {
  /** @returns fp16 bits of all levels in order, lowest first; null if they are not there. */
  load(key: string): Promise<Uint16Array | null>;
  save(key: string, bits: Uint16Array): Promise<void>;
}

const HISTORY: Provenance = {
  role: 'document',
  documentId: 'history',
  title: 'History',
  wallClockMs: 0,
};

/**
 * @param step - awaited now and then with the share that is done; may throw to give up.
 * @returns a tree with every gist that it can have.
 */
export async function rememberHistory(
  model: LoadedModel,
  ids: Uint32Array,
  cache: GistCache | undefined,
  step: (share: number) => Promise<void>,
): Promise<GistTree> {
  const tree = emptyTree(model);
  tree.appendTokens(ids, HISTORY);
  const key = cacheKey(model, ids);
  const cached = (await cache?.load(key)) ?? null;
  if (cached !== null && adopt(tree, cached)) return tree;
  const builder = new GistBuilder(tree, model.gistNet, model.base);
  const pending = tree.pendingGistCount;
  while ((await builder.buildNext(0)) !== null) await step(1 - tree.pendingGistCount / pending);
  await cache?.save(key, gistsOf(tree));
  return tree;
}

/** Append more of the same text, and every gist that this adds. */
export async function growHistory(
  tree: GistTree,
  ids: Uint32Array,
  { base, gistNet }: LoadedModel,
  step: () => Promise<void>,
): Promise<void> {
  tree.appendTokens(ids, HISTORY);
  const builder = new GistBuilder(tree, gistNet, base);
  while ((await builder.buildNext(0)) !== null) await step();
}

/** A fork of a history with a question behind it, and every gist that this adds. */
export async function withQuestion(
  history: GistTree,
  { userIds, assistantIds }: Pick<AskedQuestion, 'userIds' | 'assistantIds'>,
  { base, gistNet }: LoadedModel,
): Promise<GistTree> {
  const tree = history.fork();
  tree.appendTokens(userIds, { ...HISTORY, role: 'user', documentId: 'turn' });
  tree.appendTokens(assistantIds, { ...HISTORY, role: 'assistant', documentId: 'turn' });
  const builder = new GistBuilder(tree, gistNet, base);
  while ((await builder.buildNext(0)) !== null);
  return tree;
}

function emptyTree({ base, manifest, gistNet }: LoadedModel): GistTree {
  return new GistTree({
    hiddenSize: base.hiddenSize,
    maxLod: manifest.maxLod as Lod,
    gistVersion: gistNet.version,
  });
}

function cacheKey({ hash, manifest }: LoadedModel, ids: Uint32Array): string {
  const names = [manifest.base.weights, manifest.gistNet?.weights ?? ''];
  const weights = names
    .map((name) => manifest.files[name]?.sha256)
    .map((sha256) => (sha256 ?? hash).slice(0, 12))
    .join('-');
  const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
  return `${weights}-${ids.length}-${crc32(bytes).toString(16)}`;
}

function gistsOf(tree: GistTree): Uint16Array {
  const levels = [];
  for (let level = 1; level <= tree.maxLod; level++) {
    levels.push(tree.gistBits(level as Lod, 0, tree.countAt(level)));
  }
  const bits = new Uint16Array(levels.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const level of levels) {
    bits.set(level, at);
    at += level.length;
  }
  return bits;
}

/** @returns false if they are not the gists of this many tokens; nothing is changed then. */
function adopt(tree: GistTree, bits: Uint16Array): boolean {
  const gists = tree.pendingGistCount;
  if (bits.length !== gists * tree.hiddenSize) return false;
  let at = 0;
  for (let work = tree.nextGistWork(Infinity); work !== null; work = tree.nextGistWork(Infinity)) {
    const length = work.count * tree.hiddenSize;
    tree.setGists(work.lod, work.firstIndex, bits.subarray(at, at + length));
    at += length;
  }
  return true;
}
