/**
 * What a run asks for that Multi-Head Focus has to have learned: a head's own adapter on LensNet (the cue `learned`),
 * the router and the merger `learned`, LensNet-G for the staging context. Refuses by name what a model lacks. Owns no
 * net.
 */
import { ConfigError, type RunConfig } from '../../../core/trace/config.ts';
import type { HeadStatistics } from '../../../core/heads/router.ts';
import { POLICIES } from '../../../core/policies/registry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { FocusHeads, LensNet, LoadedModel } from '../../../nn/ports.ts';

/** The parameters that ask for learned parts. */
type HeadsConfig = Pick<RunConfig, 'heads' | 'headCues' | 'router' | 'merger' | 'stagingLens'>;
type Brought = Pick<LoadedModel, 'title' | 'focusHeads' | 'stagingLensNet'>;

/** One learned part of a run: the parameter that asks for it, and what stands in where it is not there. */
interface LearnedPart {
  readonly parameter: 'headCues' | 'router' | 'merger' | 'stagingLens';
  readonly isAskedFor: (config: Partial<HeadsConfig>) => boolean;
  /** In words; null where the model brings it for these parameters. */
  readonly whyMissing: (model: Brought, config: Partial<HeadsConfig>) => string | null;
  readonly without: (config: Partial<HeadsConfig>) => Partial<RunConfig>;
}

const ADAPTERS: LearnedPart = {
  parameter: 'headCues',
  isAskedFor: ({ headCues = '' }) => /\blearned\b/.test(headCues),
  whyMissing: partOfHeads('lensOf', 'adapters'),
  without: ({ headCues = '' }) => ({ headCues: headCues.replaceAll('learned', 'plain') }),
};
const LEARNED_PARTS: readonly LearnedPart[] = [
  ADAPTERS,
  {
    parameter: 'router',
    isAskedFor: ({ router }) => router === 'learned',
    whyMissing: partOfHeads('router', 'a router'),
    without: () => ({ router: 'utility-gated' }),
  },
  {
    parameter: 'merger',
    isAskedFor: ({ merger }) => merger === 'learned',
    whyMissing: partOfHeads('merger', 'a merger'),
    without: () => ({ merger: 'confident' }),
  },
  {
    parameter: 'stagingLens',
    isAskedFor: ({ stagingLens }) => stagingLens === 'lensnet-g',
    whyMissing: ({ title, stagingLensNet }) =>
      stagingLensNet === undefined ? `${title} brings no LensNet for staging contexts` : null,
    without: () => ({ stagingLens: 'own' }),
  },
];

/** The query of policies where no LensNet has its say. */
export const PLAIN_TAIL_TOKENS = 64;

/**
 * @throws {ConfigError} for a learned part that the model does not bring, or not for so many heads, and for adapters where no
 * LensNet scores. A single head has no use for any of them, and none is missed.
 */
export function checkLearnedHeads(model: Brought, config: RunConfig): void {
  for (const asked of LEARNED_PARTS) {
    const { parameter } = asked;
    const why = whyMissing(model, config, asked);
    if (why !== null)
      throw new ConfigError(parameter, `${parameter} = ${JSON.stringify(config[parameter])}: ${why}.`);
  }
  const { policy, headCues } = config;
  if (config.heads === 1 || !ADAPTERS.isAskedFor(config) || POLICIES[policy].needsLensNet) return;
  throw new ConfigError(
    'headCues',
    `headCues = ${JSON.stringify(headCues)}: the policy ${policy} reads no LensNet that a head could adapt.`,
  );
}

/**
 * Recorded parameters with rules in the place of learned parts that the model does not bring.
 *
 * @returns `note`: the sentence that says so, or null where the parameters are as they were.
 */
export function withKnownHeads<C extends Partial<RunConfig>>(
  model: Brought,
  config: C,
): { readonly config: C; readonly note: string | null } {
  const missing = LEARNED_PARTS.flatMap((asked) => {
    const why = whyMissing(model, config, asked);
    return why === null ? [] : [{ asked, why }];
  });
  if (missing.length === 0) return { config, note: null };
  const changes = missing.reduce<Partial<RunConfig>>(
    (all, { asked }) => ({ ...all, ...asked.without(config) }),
    {},
  );
  const instead = Object.entries(changes).map(([id, value]) => `${id} is ${JSON.stringify(value)}`);
  return {
    config: { ...config, ...changes },
    note: `Learned heads were asked for, but ${missing[0]!.why}: ${instead.join(', ')} instead.`,
  };
}

/** LensNet-G where the parameters ask for it; null where the staging context is scored as the heads are. Borrowed. */
export function stagingLensOf(
  { stagingLensNet }: Brought,
  { stagingLens }: Pick<RunConfig, 'stagingLens'>,
): LensNet | null {
  return stagingLens === 'lensnet-g' ? (stagingLensNet ?? null) : null;
}

/** LensNet as a head has it where its cue is `learned`; null where it has none of its own. Borrowed. */
export function adaptedLens({ focusHeads }: Brought, heads: number, head: number): LensNet | null {
  return focusHeads?.get(heads)?.lensOf?.(head) ?? null;
}

/** `[heads]` utilities as the learned router has them; undefined where another router chooses, or none is needed. */
export function learnedUtilities(
  { focusHeads, base, lensNet }: LoadedModel,
  tree: Pick<GistTree, 'tokens' | 'tokenCount'>,
  { router, heads }: Pick<RunConfig, 'router' | 'heads'>,
  statistics: readonly HeadStatistics[],
): readonly number[] | undefined {
  const net = router === 'learned' ? focusHeads?.get(heads)?.router : null;
  return net?.(meanTail(base, tree, lensNet?.tailTokens ?? PLAIN_TAIL_TOKENS), statistics);
}

/** `[d]` mean embedding of the newest tokens, which the router reads as the query; zeros where there are none. */
export function meanTail(
  base: Pick<LoadedModel['base'], 'embed' | 'hiddenSize'>,
  tree: Pick<GistTree, 'tokens' | 'tokenCount'>,
  tailTokens: number,
): Float32Array {
  const d = base.hiddenSize;
  const ids = tree.tokens(Math.max(0, tree.tokenCount - tailTokens), tree.tokenCount);
  const sums = new Float64Array(d);
  base.embed(ids).forEach((value, i) => {
    sums[i % d]! += value;
  });
  return Float32Array.from(sums, (sum) => sum / Math.max(1, ids.length));
}

/** For how many heads a model brings learned parts that a list of choices offers. */
export interface LearnedHeads {
  readonly router: readonly number[];
  readonly merger: readonly number[];
}

export function learnedHeadsOf({ focusHeads }: Brought): LearnedHeads {
  return { router: countsOf(focusHeads, 'router'), merger: countsOf(focusHeads, 'merger') };
}

/** For how many heads a part is there, ascending. */
function countsOf(focusHeads: Brought['focusHeads'], part: keyof FocusHeads): readonly number[] {
  const brought = [...(focusHeads ?? [])].filter(([, parts]) => parts[part] !== null);
  return brought.map(([count]) => count).sort((a, b) => a - b);
}

/** In words; null where nothing is missing. */
function whyMissing(model: Brought, config: Partial<HeadsConfig>, part: LearnedPart): string | null {
  return part.isAskedFor(config) ? part.whyMissing(model, config) : null;
}

/** What is trained for a number of heads. Where that number is not said, what any number has will do. */
function partOfHeads(part: keyof FocusHeads, name: string): LearnedPart['whyMissing'] {
  return ({ title, focusHeads }, { heads }) => {
    const counts = countsOf(focusHeads, part);
    if (counts.length === 0) return `${title} brings no weights for heads`;
    if (heads === undefined || heads === 1 || counts.includes(heads)) return null;
    return `${title} brings ${name} for ${counts.join(', ')} heads and not for ${heads}`;
  };
}
