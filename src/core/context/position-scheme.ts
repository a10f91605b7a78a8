/** Where the base sees the slots of a working context (docs/models.md). */
import type { PositionMode } from '../parameters/context.ts';

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
