/** What a policy is: who scores the entries of a working context, and which parameters it reads to do so. */
import type { Layout, PinnedSpan } from '../context/working-context.ts';
import type { HistoryWords } from '../lexical/history-words.ts';
import type { ConfigAffecting } from '../trace/config.ts';
import type { LensVariant, PolicyId } from '../parameters/policy.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import type { Scorer } from './scorer.ts';

/**
 * Mean negative log-likelihood, nats per token, of the newest tokens given what stands before them in a layout:
 * all tokens from `queryStart` to the cursor.
 */
export type MeasureNll = (layout: Layout, queryStart: number) => Promise<number>;

type ScorerConfig = ConfigAffecting<'scorer'>;
type ReadParameter = keyof ScorerConfig;

/** What a scorer may ask of the session that it works in. */
export interface PolicyPorts {
  readonly tree: GistTree;
  /** The words of the tree's history. */
  readonly words: HistoryWords;
  /** What the researcher pinned; asked at every refocus. */
  readonly pins: () => readonly PinnedSpan[];
  /** The session's LensNet of a variant; borrowed. @throws {ConfigError} if there is none. */
  readonly lensNet: (variant: LensVariant) => Scorer;
  /** Lends the base's opinion of layouts for one refocus: a cache of its own serves all measurements. */
  readonly withNll: <T>(
    config: Pick<ScorerConfig, 'budgetTokens' | 'positions' | 'gistDecay'>,
    use: (measureNll: MeasureNll) => Promise<T>,
  ) => Promise<T>;
}

/** One policy; `registry.ts` holds them all. */
export interface Policy {
  readonly id: PolicyId;
  readonly sentence: string;
  /** The parameters that its scorers are made of: a scorer serves as long as they stand. */
  readonly reads: readonly ReadParameter[];
  /** At a turn's end its scorer is asked again, by part of the question and below coarse gists. */
  readonly looksAgain: boolean;
  /** It cannot score for a base without a LensNet. */
  readonly needsLensNet: boolean;
  create(config: ScorerConfig, ports: PolicyPorts): Scorer;
}

/** A policy whose `create` sees no parameter but those that it `reads`. */
export function definePolicy<
  const Id extends PolicyId,
  const Reads extends readonly ReadParameter[],
>(policy: {
  readonly id: Id;
  readonly sentence: string;
  readonly reads: Reads;
  readonly looksAgain?: boolean;
  readonly needsLensNet?: boolean;
  create(config: Pick<ScorerConfig, Reads[number]>, ports: PolicyPorts): Scorer;
}): Policy & { readonly id: Id } {
  return { looksAgain: false, needsLensNet: false, ...policy };
}
