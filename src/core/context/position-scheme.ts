/** How absolute indices are remapped to what the base sees: the modes and their parameters (docs/models.md). */

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
