/**
 * The manifest of a model folder: its schema, and nothing else. A manifest is untrusted input, so every
 * count is bounded here before anybody allocates by it.
 */
import { LEXICAL_FEATURE_NAMES, LEXICAL_FEATURES } from '../../core/lexical/history-words.ts';
import { WORD_MATCHES } from '../../core/lexical/words.ts';
import { z } from '../../base/zod.ts';
import { modelDefaultsSchema } from '../../core/trace/config.ts';
import { K, MAX_LOD } from '../../core/tree/ids.ts';

/** A plain name inside the model folder: no directories, so a manifest cannot reach outside it. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be a plain file name');
const shortText = z.string().max(4096);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

const fileSchema = z.strictObject({
  bytes: z
    .number()
    .int()
    .min(1)
    .max(16 * 2 ** 30),
  sha256,
});

const gistNetSchema = z.strictObject({
  weights: fileName,
  blocks: z.number().int().min(0).max(16),
  contextChildren: z.number().int().min(0).max(256),
  attention: z.enum(['bidirectional', 'causal']),
  pooling: z.enum(['mean', 'queries']),
  queries: z.number().int().min(1).max(64),
  // Absent: the plain mean of the children; 4 · hiddenSize; as `blocks`.
  residual: z.enum(['mean', 'affine']).optional(),
  mlpWidth: z.number().int().min(1).max(65_536).optional(),
  lod2Blocks: z.number().int().min(0).max(16).optional(),
  version: z.number().int().min(0).max(65_535),
});

const lensNetCommon = {
  weights: fileName,
  width: z.number().int().min(1).max(4096),
  heads: z.number().int().min(1).max(64),
  tailQueries: z.number().int().min(1).max(256),
  tailTokens: z.number().int().min(1).max(4096),
  // Absent: made without.
  lexicalFeatures: z
    .number()
    .refine(
      (count) => count === LEXICAL_FEATURES,
      `must be ${LEXICAL_FEATURES} (${LEXICAL_FEATURE_NAMES.join(', ')}), or absent for a LensNet made without words`,
    )
    .optional(),
  // How those words are compared; absent: by their stems.
  wordMatch: z.enum(WORD_MATCHES).optional(),
  version: z.number().int().min(0).max(65_535),
};

const lensNetSchema = z.discriminatedUnion('variant', [
  z.strictObject({
    ...lensNetCommon,
    variant: z.literal('dual-cross-attention'),
    tailGists: z.boolean().optional(),
  }),
  z.strictObject({
    ...lensNetCommon,
    variant: z.literal('transformer'),
    layers: z.number().int().min(1).max(16),
    window: z.number().int().min(1).max(4096),
  }),
  z.strictObject({
    ...lensNetCommon,
    variant: z.literal('perceiver'),
    iterations: z.number().int().min(1).max(16),
  }),
]);

const focusHeadsSchema = z.strictObject({
  heads: z.number().int().min(2).max(8),
  weights: fileName,
  // Each part that was trained; one that is absent is asked for in vain, by name.
  adapters: z.strictObject({ rank: z.number().int().min(1).max(256) }).optional(),
  router: z.strictObject({ width: z.number().int().min(1).max(4096) }).optional(),
  merger: z.strictObject({ width: z.number().int().min(1).max(4096) }).optional(),
  version: z.number().int().min(0).max(65_535),
});

/** What a manifest says of a set of networks, with its base or without. */
export const networkFields = {
  formatVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a lower-case identifier'),
  title: z.string().min(1).max(200),
  licence: z.string().min(1).max(100),
  maxLod: z.number().int().min(1).max(MAX_LOD),
  hiddenSize: z.number().int().min(1).max(16_384),
  defaults: modelDefaultsSchema,
  // Heads that are not trained for the base are absent: centred means stand for gists then, and policies that
  // need no training score.
  gistNet: gistNetSchema.optional(),
  lensNet: lensNetSchema.optional(),
  // Other architectures that the parameter `lensVariant` can ask for.
  otherLensNets: z.array(lensNetSchema).max(4).optional(),
  // LensNet-G: scores the staging context where the parameter `stagingLens` asks for it.
  stagingLensNet: lensNetSchema.optional(),
  // What Multi-Head Focus learned, each for another number of heads.
  focusHeads: z.array(focusHeadsSchema).max(7).optional(),
  files: z
    .record(fileName, fileSchema)
    .refine((files) => Object.keys(files).length <= 64, 'at most 64 files'),
  training: z
    .strictObject({
      corpus: shortText,
      tokens: z.number().min(0),
      hours: z.number().min(0),
      hardware: shortText,
      seed: z.number().int(),
      commands: z.array(shortText).max(64),
    })
    .optional(),
  figures: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        value: z.number(),
        n: z.number().int().min(0),
        ci95: z.tuple([z.number(), z.number()]),
        command: shortText,
      }),
    )
    .max(256)
    .optional(),
};

const folderSchema = z.strictObject({
  ...networkFields,
  blockSize: z.literal(K),
  trainedContextTokens: z.number().int().min(1).max(1_048_576),
  chat: z.strictObject({
    userPrefix: shortText,
    userSuffix: shortText,
    assistantPrefix: shortText,
    stop: z.array(z.string().min(1).max(256)).max(16),
  }),
  base: z.strictObject({
    config: fileName,
    weights: fileName,
    tokenizer: fileName,
    tokenizerConfig: fileName,
  }),
  // The base's query-focused retrieval heads, for the baseline of evaluations that reads their attention.
  retrievalHeads: z
    .strictObject({
      heads: z
        .array(z.tuple([z.number().int().min(0).max(255), z.number().int().min(0).max(255)]))
        .min(1)
        .max(64),
      // Of the base's weights that they were picked for: others have other heads.
      baseSha256: sha256,
      examples: z.number().int().min(1),
      command: shortText,
    })
    .optional(),
});

/** A validated `manifest.json`, as docs/models.md defines it. */
export type ModelManifest = z.infer<typeof folderSchema>;

/** The networks that a manifest names, and the files it vouches for. */
export type NetworkSections = Pick<
  ModelManifest,
  'gistNet' | 'lensNet' | 'otherLensNets' | 'stagingLensNet' | 'focusHeads' | 'files'
>;

export const manifestSchema = folderSchema.superRefine((manifest, context) => {
  checkNetworks(manifest, [...neededFiles(manifest), ...laterFiles(manifest)], context);
});

/** What a schema cannot say: a LensNet's shape fits, each is of another variant, each needed file is vouched for. */
export function checkNetworks(
  manifest: NetworkSections,
  needed: readonly string[],
  context: z.RefinementCtx,
): void {
  const addIssue = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  const checkShape = (path: (string | number)[], { width, heads }: LensNetSection): void => {
    if (width % heads !== 0) addIssue([...path, 'heads'], `must divide ${path.join('.')}.width`);
  };
  if (manifest.stagingLensNet !== undefined) checkShape(['stagingLensNet'], manifest.stagingLensNet);
  const variants = new Set<string>();
  for (const [index, section] of lensNetsOf(manifest).entries()) {
    const { variant } = section;
    const path = index === 0 ? ['lensNet'] : ['otherLensNets', index - 1];
    checkShape(path, section);
    if (variants.has(variant)) {
      addIssue(
        [...path, 'variant'],
        `"${variant}" is there already: each LensNet must be of another variant`,
      );
    }
    variants.add(variant);
  }
  const { lensNet, focusHeads = [] } = manifest;
  focusHeads.forEach(({ heads, adapters }, index) => {
    if (focusHeads.findIndex((other) => other.heads === heads) < index) {
      addIssue(['focusHeads', index, 'heads'], `${heads} is there already: one entry a number of heads`);
    }
    if (
      adapters !== undefined &&
      (lensNet?.variant !== 'dual-cross-attention' || lensNet.tailGists === false)
    ) {
      addIssue(['focusHeads', index, 'adapters'], 'need a lensNet of dual-cross-attention with tail gists');
    }
  });
  for (const name of needed) {
    if (!Object.hasOwn(manifest.files, name)) addIssue(['files', name], 'has no size and SHA-256');
  }
}

/** The sections of all LensNets, the default first. */
function lensNetsOf({ lensNet, otherLensNets = [] }: NetworkSections): readonly LensNetSection[] {
  return lensNet === undefined ? [] : [lensNet, ...otherLensNets];
}

/** Every file that the networks and the tokenizer are made of, each once. */
export function neededFiles(manifest: ModelManifest): readonly string[] {
  const { base } = manifest;
  const own = [base.config, base.tokenizer, base.tokenizerConfig, base.weights];
  return [...new Set([...own, ...headFiles(manifest)])];
}

/** The files of GistNet, the own LensNet and what several heads learned, each once. */
export function headFiles({ gistNet, lensNet, focusHeads = [] }: NetworkSections): readonly string[] {
  const heads = [gistNet, lensNet, ...focusHeads].flatMap((section) =>
    section === undefined ? [] : [section.weights],
  );
  return [...new Set(heads)];
}

/** The files of LensNets that are read when one of them first scores. */
export function laterFiles({ otherLensNets = [], stagingLensNet }: NetworkSections): readonly string[] {
  const later = stagingLensNet === undefined ? otherLensNets : [...otherLensNets, stagingLensNet];
  return later.map(({ weights }) => weights);
}

/** Names the base's weights. @param hash - of the model, for one whose manifest lists no files. */
export function baseSha256({
  manifest,
  hash,
}: {
  readonly manifest: ModelManifest;
  readonly hash: string;
}): string {
  return manifest.files[manifest.base.weights]?.sha256 ?? hash;
}

/** A base trained with position jumps reads about this many times its trained context (measured). */
const USABLE_RANGE = 4;

/** How many tokens a base reads well, trained as the bases of these folders are. */
export function usableTokens({ trainedContextTokens }: Pick<ModelManifest, 'trainedContextTokens'>): number {
  return trainedContextTokens * USABLE_RANGE;
}

type WithoutWeights<T> = T extends unknown ? Omit<T, 'weights'> : never;

/** A manifest's section about one LensNet. */
export type LensNetSection = NonNullable<ModelManifest['lensNet']>;
/** The same without its file. */
export type LensNetConfig = WithoutWeights<LensNetSection>;
/** A section about what so many heads learned. */
export type FocusHeadsSection = NonNullable<ModelManifest['focusHeads']>[number];
/** The section about a trained GistNet, without its file. */
export type GistNetConfig = WithoutWeights<NonNullable<ModelManifest['gistNet']>>;
export type LensNetVariant = LensNetConfig['variant'];
export type LensVariantConfig<V extends LensNetVariant> = Extract<LensNetConfig, { variant: V }>;
