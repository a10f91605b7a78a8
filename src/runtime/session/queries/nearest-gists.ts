/** Which gists point the same way as a vector. */
import { type Lod, K, tokensPerEntry } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { GistNet, LanguageModel, LoadedModel } from '../../../nn/ports.ts';
import type { GistMatch, SimilarSearch } from '../messages/query-messages.ts';
import { textOfSpan } from './span-text.ts';

const ROWS_AT_ONCE = 256;
const SNIPPET_CHARACTERS = 160;

interface RankedGist {
  readonly index: number;
  readonly cosine: number;
}

/**
 * The gists of a level with the highest cosine to a vector, best first. O(gists · d). All must be in memory.
 *
 * @param query - `[d]`; borrowed.
 * @param except - index of a gist that is left out.
 */
export function nearestGists(
  tree: GistTree,
  level: Lod,
  query: Float32Array,
  limit: number,
  except = -1,
): readonly RankedGist[] {
  const d = tree.hiddenSize;
  const count = tree.countAt(level);
  const rows = new Float32Array(Math.min(count, ROWS_AT_ONCE) * d);
  const queryNorm = Math.hypot(...query);
  const best: RankedGist[] = [];
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const size = Math.min(ROWS_AT_ONCE, count - from);
    tree.readGists(level, from, size, rows);
    for (let row = 0; row < size; row++) {
      let dot = 0;
      let squares = 0;
      for (let j = 0; j < d; j++) {
        const value = rows[row * d + j]!;
        dot += value * query[j]!;
        squares += value * value;
      }
      const cosine = dot / (Math.sqrt(squares) * queryNorm + 1e-12);
      const isOut = from + row === except || !tree.canServe(level, (from + row) * tokensPerEntry(level));
      if (isOut || (best.length === limit && cosine <= best[limit - 1]!.cosine)) continue;
      const at = best.findIndex((other) => other.cosine < cosine);
      best.splice(at < 0 ? best.length : at, 0, { index: from + row, cosine });
      best.length = Math.min(best.length, limit);
    }
  }
  return best;
}

/** Read in a level that is compared whole, where parts of it were left out of memory. */
export async function bringInLevel(tree: GistTree, lod: number): Promise<void> {
  await tree.bringIn([{ lod, first: 0, count: tree.countAt(lod) }]);
}

/** Ranked gists as the page shows them. */
export function describeGists(
  tree: GistTree,
  tokenizer: LoadedModel['tokenizer'],
  level: Lod,
  ranked: readonly RankedGist[],
): readonly GistMatch[] {
  const span = tokensPerEntry(level);
  return ranked.map(({ index, cosine }) => {
    const start = index * span;
    const { text } = textOfSpan(tree, tokenizer, start, start + span, SNIPPET_CHARACTERS);
    return { start, end: start + span, cosine, text };
  });
}

/** The gists of every level that are nearest to a text. A text without tokens is near to none. */
export async function searchSimilar(
  tree: GistTree,
  model: LoadedModel,
  query: string,
  limit: number,
  pause: () => Promise<void>,
): Promise<SimilarSearch> {
  const ids = model.tokenizer.encode(query);
  const by = ids.length < K ? 'embedding' : 'gist';
  const vector =
    by === 'gist' ? await gistOfText(model.gistNet, model.base, ids) : meanEmbedding(model.base, ids);
  const levels: { lod: number; hits: readonly GistMatch[] }[] = [];
  for (let lod = 1; lod <= tree.maxLod && tree.countAt(lod) > 0; lod++) {
    await pause();
    await bringInLevel(tree, lod);
    const ranked = ids.length === 0 ? [] : nearestGists(tree, lod as Lod, vector, limit);
    levels.push({ lod, hits: describeGists(tree, model.tokenizer, lod as Lod, ranked) });
  }
  return { by, levels };
}

/** `[d]` mean of the tokens' embeddings. */
function meanEmbedding(base: LanguageModel, ids: Uint32Array): Float32Array {
  const d = base.hiddenSize;
  const rows = base.embed(ids);
  const mean = new Float32Array(d);
  for (let i = 0; i < rows.length; i++) mean[i % d]! += rows[i]! / ids.length;
  return mean;
}

/** `[d]` gist of the last K tokens, those before them as its context. */
function gistOfText(gistNet: GistNet, base: LanguageModel, ids: Uint32Array): Promise<Float32Array> {
  const d = base.hiddenSize;
  const context = Math.min(gistNet.contextChildren, ids.length - K);
  const children = new Float32Array((gistNet.contextChildren + K) * d);
  const rows = base.embed(ids.subarray(ids.length - K - context));
  children.set(rows, children.length - rows.length);
  return gistNet.compress(1, children, [context], ids.subarray(ids.length - K));
}
