/**
 * InfiniRetri (Ye et al. 2025, arXiv 2502.12962): the base reads the history piece by piece, each time behind what
 * it has kept and before the question, and keeps what the question's attention in the last layer picks: phrases by
 * the sum over neighbouring tokens, and then the units that hold the best. Units are blocks here instead of
 * sentences, since blocks are what everyone opens. Everything is read again for every question; the tokens of it
 * are shown.
 */
import { K } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { DecodeSession, LanguageModel } from '../../../nn/ports.ts';
import { keyHeadOf } from '../memory/history-keys.ts';
import { attentionMass } from './attention-mass.ts';
import { askedIds, type BaselineHistory, type BlockRanker, type Ranks } from './baseline.ts';

/** Neighbouring tokens that count as one phrase, as in the paper's code. */
const PHRASE_TOKENS = 15;

export function createSlidingRanker({ model, tree, pause }: BaselineHistory): BlockRanker {
  const { base, manifest } = model;
  const windowTokens = manifest.trainedContextTokens;
  let baseTokens = 0;
  return {
    get baseTokens() {
      return baseTokens;
    },
    rank: async (question) => {
      const asked = askedIds(question).subarray(-Math.floor(windowTokens / 2));
      // As many blocks are kept as are read on, and all of it lies within the context that the base was trained for.
      const room = Math.floor((windowTokens - asked.length) / (2 * K));
      const session = base.createDecodeSession(2 * room * K + asked.length);
      try {
        return await keepBest(tree.closedBlockCount, room, async (blocks) => {
          await pause();
          baseTokens += blocks.length * K + asked.length;
          return weighBlocks(blocks, tree, asked, base, session);
        });
      } finally {
        session.dispose();
      }
    },
  };
}

/**
 * Go through all blocks in pieces, keeping the best.
 *
 * @param room - blocks that are kept, and blocks of a piece.
 * @param weigh - blocks, ascending: what was kept and the next piece; what each of them is worth.
 * @returns -Infinity for what was dropped on the way.
 */
export async function keepBest(
  blocks: number,
  room: number,
  weigh: (blocks: readonly number[]) => Promise<ArrayLike<number>>,
): Promise<Ranks> {
  let kept: { readonly block: number; readonly worth: number }[] = [];
  for (let next = 0; next < blocks; next += room) {
    const piece = Array.from({ length: Math.min(room, blocks - next) }, (_, i) => next + i);
    const read = [...kept.map(({ block }) => block).sort((a, b) => a - b), ...piece];
    const worth = await weigh(read);
    kept = read.map((block, i) => ({ block, worth: worth[i]! }));
    // Of equals the newer one stays, as everywhere.
    kept.sort((a, b) => b.worth - a.worth || b.block - a.block);
    kept = kept.slice(0, room);
  }
  const ranks = new Float64Array(blocks).fill(-Infinity);
  for (const { block, worth } of kept) ranks[block] = worth;
  return ranks;
}

/**
 * What blocks are worth by the attention to their tokens.
 *
 * @param mass - `[blocks · K]`.
 * @returns `[blocks]` the best phrase of each; of one that crosses an edge, each block's own part.
 */
export function weighPhrases(mass: ArrayLike<number>): Float64Array {
  const worth = new Float64Array(mass.length / K);
  let phrase = 0;
  for (let token = 0; token < mass.length; token++) {
    const inBlock = token % K;
    phrase = (inBlock === 0 ? 0 : phrase) + mass[token]!;
    if (inBlock >= PHRASE_TOKENS) phrase -= mass[token - PHRASE_TOKENS]!;
    const block = Math.floor(token / K);
    worth[block] = Math.max(worth[block]!, phrase);
  }
  return worth;
}

/** @returns `[blocks]` what blocks are worth, read behind each other and before the question. */
async function weighBlocks(
  blocks: readonly number[],
  tree: GistTree,
  asked: Uint32Array,
  base: LanguageModel,
  session: DecodeSession,
): Promise<Float64Array> {
  const { attention: shape, layers } = base;
  const { heads, kvHeads, headDim } = shape;
  const read = blocks.length * K;
  const ids = new Uint32Array(read + asked.length);
  for (const [i, block] of blocks.entries()) ids.set(tree.tokens(block * K, (block + 1) * K), i * K);
  ids.set(asked, read);
  session.truncate(0);
  const places = Float64Array.from(ids, (_, i) => i);
  const made = await session.appendForHeads(base.embed(ids), places);
  const queries = made.queries[layers - 1]!.subarray(read * heads * headDim);
  const sums = new Float64Array(read);
  for (let head = 0; head < heads; head++) {
    const keys = new Float32Array(read * headDim);
    for (let token = 0; token < read; token++) {
      const at = (token * kvHeads + keyHeadOf(head, shape)) * headDim;
      keys.set(made.keys[layers - 1]!.subarray(at, at + headDim), token * headDim);
    }
    const mass = attentionMass(queries, keys, head, shape);
    for (let token = 0; token < read; token++) sums[token]! += mass[token]!;
  }
  return weighPhrases(sums);
}
