/**
 * Where the base sees each slot of a working context: monotone remappings of absolute indices (docs/models.md).
 * Pure; everything that runs the base over a layout asks here.
 */
import type { PositionMode } from '../parameters/context.ts';
import type { PositionScheme } from './position-scheme.ts';
import type { Entry, Layout } from './working-context.ts';
import { K, tokensPerEntry } from '../tree/ids.ts';

/** Tokens behind the last whole block that still get exact positions: an open block and a measured horizon. */
const AHEAD_TOKENS = 160;
/** Standard deviation of a place that is somewhere in a span of width 1. */
const UNIFORM_DEVIATION = 1 / Math.sqrt(12);

/** Absolute position of a gist: the centre of its span. */
export function gistPosition(entry: Entry): number {
  return entry.start + tokensPerEntry(entry.lod) / 2;
}

/** `[N + following]` each, in slot order. */
export interface SlotPositions {
  readonly positions: Float64Array;
  /** Standard deviation of each position; 0 for every raw token. */
  readonly deviations: Float64Array;
}

/**
 * Positions of a layout's slots and of raw tokens that would follow them.
 *
 * `absolute`: a raw token's index; a gist at its span's centre. `compact`: the slot's number. `grouped`: as
 * `absolute` for the newest C/2 tokens and what follows; older indices, counted from the window's start, are
 * divided by the smallest power of two that keeps all within C (Self-Extend, Jin et al. 2024, with the
 * border at a block's edge instead of one per query, so that cached keys stay valid for a block).
 *
 * @param following - raw tokens after the cursor. `grouped` stays within C for at most 128 of them and C ≥ 384.
 */
export function slotPositions(layout: Layout, scheme: PositionScheme, following = 0): SlotPositions {
  const count = layout.usedTokens + following;
  const positions = new Float64Array(count);
  const deviations = new Float64Array(count);
  const places = PLACES[scheme.mode](layout, scheme.trainedContextTokens);
  let slot = 0;
  for (const entry of layout.entries) {
    if (entry.lod === 0) {
      for (let index = entry.start; index < entry.end; index++, slot++) {
        positions[slot] = places.at(index, slot);
      }
    } else {
      positions[slot] = places.at(gistPosition(entry), slot);
      deviations[slot] = scheme.gistDecay * UNIFORM_DEVIATION * places.width(entry);
      slot++;
    }
  }
  for (let i = 0; i < following; i++, slot++) positions[slot] = places.at(layout.cursor + i, slot);
  return { positions, deviations };
}

interface Places {
  at(absolute: number, slot: number): number;
  /** How wide a gist's span is among the remapped positions. */
  width(gist: Entry): number;
}

const PLACES: Readonly<Record<PositionMode, (layout: Layout, trainedContextTokens: number) => Places>> = {
  absolute: () => ({ at: (absolute) => absolute, width: ({ start, end }) => end - start }),
  compact: () => ({ at: (_, slot) => slot, width: () => 1 }),
  grouped: groupedPlaces,
};

function groupedPlaces(layout: Layout, trainedContextTokens: number): Places {
  const origin = layout.entries[0]?.start ?? 0;
  const nearTokens = Math.floor(trainedContextTokens / 2 / K) * K;
  const farPlaces = Math.max(1, trainedContextTokens - nearTokens - AHEAD_TOKENS);
  const lastEdge = Math.floor(layout.cursor / K) * K;
  const farTokens = Math.max(0, lastEdge - nearTokens - origin);
  let groupTokens = 1;
  while (farTokens / groupTokens > farPlaces) groupTokens *= 2;
  const nearStart = Math.ceil(farTokens / groupTokens);
  return {
    at: (absolute) => {
      const offset = absolute - origin;
      return offset < farTokens ? Math.floor(offset / groupTokens) : offset - farTokens + nearStart;
    },
    width: ({ start, end }) => (end - start) / (start - origin < farTokens ? groupTokens : 1),
  };
}
