/** What Multi-Head Focus learned for a number of heads, as a manifest names it: adapted LensNets, router and merger. */
import { AdaptedWeights } from '../lens-net/adapted-weights.ts';
import { type LensMaker, openLensMaker } from '../lens-net/lens-net.ts';
import type { FocusHeadsSection, LensNetSection } from '../model-folder/manifest.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import type { FocusHeads, LensNet } from '../ports.ts';
import { createHeadMerger, createHeadRouter } from '../router/mixing-nets.ts';

/** What a model's shape says. */
interface FocusHeadsShape {
  readonly hiddenSize: number;
  readonly epsilon: number;
  /** The LensNet that adapters change; absent where the model has none. */
  readonly lensNet: LensNetSection | undefined;
}

/** Learned heads and what disposes the LensNets that were made of them. */
export interface OwnedFocusHeads extends FocusHeads {
  dispose(): void;
}

/**
 * @param take - the bytes of a file that the manifest names. A head's LensNet is made of them when it is first asked
 * for, so that a run with one head costs no memory of the device.
 * @throws {WeightError} if the weights do not fit.
 */
export async function createFocusHeads(
  { hiddenSize, epsilon, lensNet }: FocusHeadsShape,
  { heads, weights, adapters, router, merger }: FocusHeadsSection,
  take: (name: string) => ArrayBuffer,
): Promise<OwnedFocusHeads> {
  const file = SafetensorsFile.parse(take(weights), weights);
  const nets = new Map<number, LensNet>();
  return {
    lensOf:
      adapters === undefined || lensNet === undefined
        ? null
        : lensMaker(
            // Read at once: `take` may hold the bytes of a whole base.
            adaptedWeights(
              file,
              heads,
              adapters.rank,
              SafetensorsFile.parse(take(lensNet.weights), lensNet.weights),
            ),
            await openLensMaker(hiddenSize, epsilon, lensNet),
            nets,
          ),
    router: router === undefined ? null : createHeadRouter(file, hiddenSize, heads, router.width),
    merger: merger === undefined ? null : createHeadMerger(file, hiddenSize, merger.width),
    dispose: () => {
      for (const net of nets.values()) net.dispose();
      nets.clear();
    },
  };
}

/** By head; those of another shape are refused here, not in the middle of a run. @throws {WeightError} */
function adaptedWeights(
  file: SafetensorsFile,
  heads: number,
  rank: number,
  lens: SafetensorsFile,
): readonly AdaptedWeights[] {
  return Array.from({ length: heads }, (_, head) => new AdaptedWeights(lens, file, head, heads, rank));
}

function lensMaker(
  weights: readonly AdaptedWeights[],
  create: LensMaker,
  nets: Map<number, LensNet>,
): (head: number) => LensNet {
  return (head) => {
    const known = nets.get(head);
    if (known !== undefined) return known;
    const net = create(weights[head]!);
    nets.set(head, net);
    return net;
  };
}
