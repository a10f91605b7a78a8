/**
 * The final hidden states of several heads before each token of a continuation: what a learned merger weighs them by.
 * Read in caches of their own, which take over what the heads' own hold, and are given back.
 */
import { slotPositions } from '../../../core/context/positions.ts';
import { baseInput } from '../../../core/context/base-input.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LanguageModel } from '../../../nn/ports.ts';
import { Decoder, type LastSlot } from './decoder.ts';

interface ContinuingHead {
  /** Its own; left with all of the layout but the last slot. */
  readonly decoder: Decoder;
  readonly layout: Layout;
  readonly parameters: RunConfig;
}

/**
 * With `kvMode = patch` the states are those of contexts that were run whole.
 *
 * @param heads - at least one, each with a layout that is not empty.
 * @param ids - 1 to `MAX_SCORED_TOKENS`.
 * @returns `[n, heads, d]`; state i predicts token i.
 */
export async function continuationStates(
  base: LanguageModel,
  tree: GistTree,
  trainedContextTokens: number,
  heads: readonly ContinuingHead[],
  ids: Uint32Array,
): Promise<Float32Array> {
  const rowValues = heads.length * base.hiddenSize;
  const states = new Float32Array(ids.length * rowValues);
  const decoders = heads.map(() => new Decoder(base, tree));
  try {
    const last: LastSlot[] = [];
    for (const [at, { decoder: own, layout, parameters }] of heads.entries()) {
      await own.approach(layout, parameters.budgetTokens);
      const decoder = decoders[at]!;
      decoder.configure({ ...parameters, kvMode: 'exact', recordAttention: 'off' }, trainedContextTokens);
      decoder.beside = () => [own];
      // A cache that has run nothing has no state to give.
      last.push((await decoder.approach(layout, parameters.budgetTokens)) as LastSlot);
    }
    const sessions = last.map(({ session }) => session);
    const following = heads.map(({ layout, parameters }) => {
      const scheme = positionSchemeOf(parameters, trainedContextTokens);
      const read = baseInput(layout, parameters.gistInput);
      const { positions } = slotPositions(read, scheme, ids.length - 1);
      return positions.subarray(read.usedTokens);
    });
    const tokens = base.embed(ids);
    const vectors = new Float32Array(rowValues);
    for (let token = 0; token < ids.length; token++) {
      const before = tokens.subarray((token - 1) * base.hiddenSize, token * base.hiddenSize);
      for (const [at, { vector }] of last.entries()) {
        vectors.set(token === 0 ? vector : before, at * base.hiddenSize);
      }
      const places = last.map(({ position }, at) => (token === 0 ? position : following[at]![token - 1]!));
      const deviations = last.map(({ deviation }) => (token === 0 ? deviation : 0));
      const ran = await base.appendTogether(
        sessions,
        vectors,
        Float64Array.from(places),
        Float64Array.from(deviations),
      );
      states.set(ran, token * rowValues);
    }
    return states;
  } finally {
    for (const decoder of decoders) decoder.dispose();
  }
}
