/**
 * `heads.json`: GistNet and LensNet for a base that others publish, without that base. Untrusted input, bounded like a
 * model folder's manifest. Says for which base they were made, and why they are not for another.
 */
import { z } from '../../base/zod.ts';
import { K } from '../../core/tree/ids.ts';
import { checkNetworks, headFiles, laterFiles, networkFields } from './manifest.ts';

export const HEADS_MANIFEST = 'heads.json';

const MOST_SAMPLED = 64;

export const headsManifestSchema = z
  .strictObject({
    ...networkFields,
    kind: z.literal('heads'),
    // Any number, so that another than ours can be refused in words of its own.
    blockSize: z.number().int().min(1).max(65_536),
    madeFor: z.strictObject({
      name: z.string().min(1).max(200),
      layers: z.number().int().min(1).max(1024),
      vocabularySize: z.number().int().min(1).max(16_777_216),
      // The first numbers of a few token embeddings, by which a base is known in any quantisation.
      sample: z
        .strictObject({
          tokens: z.array(z.number().int().min(0)).min(1).max(MOST_SAMPLED),
          columns: z.number().int().min(1).max(MOST_SAMPLED),
          values: z.array(z.number()).max(MOST_SAMPLED ** 2),
        })
        .refine(({ tokens, columns, values }) => values.length === tokens.length * columns, {
          message: 'must hold `columns` numbers for every token',
        }),
    }),
  })
  .superRefine((manifest, context) => {
    checkNetworks(manifest, [...headFiles(manifest), ...laterFiles(manifest)], context);
    const { tokens } = manifest.madeFor.sample;
    if (tokens.some((token) => token >= manifest.madeFor.vocabularySize)) {
      context.addIssue({
        code: 'custom',
        path: ['madeFor', 'sample', 'tokens'],
        message: 'must be tokens of the base',
      });
    }
  });

export type HeadsManifest = z.infer<typeof headsManifestSchema>;

/** What is compared of a base. */
export interface BaseIdentity {
  readonly name: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  /** `[n, d]` token embeddings. */
  embed(ids: ArrayLike<number>): Float32Array;
}

/**
 * How far embeddings may be from those that the heads were made for, relative to their size: more than rounding to
 * eight bits makes of them (about 0.005).
 */
const ROUNDING = 0.03;

/** Why these heads are not for this base, in words; null where they are. */
export function whyNotFor(heads: HeadsManifest, base: BaseIdentity): string | null {
  const { blockSize, hiddenSize, madeFor } = heads;
  if (blockSize !== K) return `were made for blocks of ${blockSize} tokens; here they have ${K}`;
  const differs = (what: string, theirs: number, own: number): string =>
    `were made for ${madeFor.name} with ${what} ${theirs}; ${base.name} has ${own}`;
  if (hiddenSize !== base.hiddenSize) return differs('width', hiddenSize, base.hiddenSize);
  if (madeFor.layers !== base.layers) return differs('layers', madeFor.layers, base.layers);
  if (madeFor.vocabularySize !== base.vocabularySize) {
    return differs('tokens', madeFor.vocabularySize, base.vocabularySize);
  }
  const { tokens, columns, values } = madeFor.sample;
  const rows = base.embed(tokens);
  let difference = 0;
  let size = 0;
  values.forEach((value, i) => {
    const own = rows[Math.floor(i / columns) * hiddenSize + (i % columns)]!;
    difference += (own - value) ** 2;
    size += value ** 2;
  });
  if (difference <= ROUNDING ** 2 * size) return null;
  return `were made for ${madeFor.name}; the embeddings of ${base.name} are others`;
}
