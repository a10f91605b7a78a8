/** What the base sees of a working context: the modes of positions and of gists (docs/models.md). */

export const POSITION_MODES = ['absolute', 'grouped', 'compact'] as const;
export type PositionMode = (typeof POSITION_MODES)[number];

export interface PositionScheme {
  readonly mode: PositionMode;
  /** Factor on a gist's positional deviation; 0 turns its Gaussian off. */
  readonly gistDecay: number;
  /** C: what `grouped` keeps relative distances within. */
  readonly trainedContextTokens: number;
}

export const ABSOLUTE_POSITIONS: PositionScheme = { mode: 'absolute', gistDecay: 0, trainedContextTokens: 0 };

/** The scheme that a run's parameters ask for. */
export function positionSchemeOf(
  config: { readonly positions: PositionMode; readonly gistDecay: number },
  trainedContextTokens: number,
): PositionScheme {
  return { mode: config.positions, gistDecay: config.gistDecay, trainedContextTokens };
}

/** What stands for a gist: its vector, the rarest token of its span, or nothing at all. */
export const GIST_INPUTS = ['vector', 'keyword', 'none'] as const;
export type GistInput = (typeof GIST_INPUTS)[number];
