/** Turns measured gains into the scores that a LensNet should have given. */
import type { Rng } from '../../base/rng.ts';
import type { Layout } from '../../core/context/working-context.ts';
import { SCORE_PRICES } from '../../core/policies/score-unit.ts';
import type { EntryTarget } from '../../nn/ports.ts';
import type { MeasuredMove, MeasuredState } from './collect.ts';

/** Below this, nats per token, a gain is noise. */
export const TELLING_NATS = 0.01;
/** Telling moves count up to this much more than the many that change nothing. */
const TELLING_WEIGHT = 3;
/** Entries that were not measured hold on to the score they had, so that little data cannot undo much. */
const ANCHORS = 12;
const ANCHOR_WEIGHT = 0.25;

/** Nats per token that the unit's detail is worth: gained by expanding it, lost by collapsing it. */
export function worthOfDetail({ kind, gainNats }: Pick<MeasuredMove, 'kind' | 'gainNats'>): number {
  return kind === 'expand' ? gainNats : -gainNats;
}

/** The worth that counts as large in this session: the 90th percentile of its size, but never mere noise. */
export function worthScale(states: readonly MeasuredState[]): number {
  const sizes = states
    .flatMap(({ moves }) => moves.map((move) => Math.abs(worthOfDetail(move))))
    .sort((a, b) => a - b);
  return Math.max(TELLING_NATS, sizes[Math.floor(0.9 * (sizes.length - 1))] ?? 0);
}

/** The measured units, ranked by kind, and some entries that stay as they were. */
export function targetsOf(state: MeasuredState, scaleNats: number, rng: Rng): readonly EntryTarget[] {
  const { layout, moves, lensScores } = state;
  const firstSlots = slotsBefore(layout);
  const spanOf = (first: number, count: number) => {
    const firstSlot = firstSlots[first]!;
    return { firstSlot, slotCount: firstSlots[first + count]! - firstSlot };
  };
  const measured = moves.map((move) => {
    const worth = worthOfDetail(move) / scaleNats;
    return {
      ...spanOf(move.first, move.count),
      target: Math.tanh(worth - SCORE_PRICES[move.lod === 0 ? 'raw' : 'gist']),
      weight: 1 + (TELLING_WEIGHT - 1) * Math.min(1, Math.abs(worth)),
      group: move.kind,
    };
  });
  const taken = new Set(moves.flatMap(({ first, count }) => indices(first, count)));
  const free = layout.entries.map((_, index) => index).filter((index) => !taken.has(index));
  const anchors: EntryTarget[] = [];
  for (let i = 0; i < ANCHORS && free.length > 0; i++) {
    const [index] = free.splice(rng.nextInt(free.length), 1);
    const target = lensScores[index!]!;
    anchors.push({ ...spanOf(index!, 1), target, weight: ANCHOR_WEIGHT, group: null });
  }
  return [...measured, ...anchors];
}

/** `[entries + 1]` how many slots stand before each entry, and behind the last. */
export function slotsBefore(layout: Layout): readonly number[] {
  let slots = 0;
  return [0, ...layout.entries.map(({ cost }) => (slots += cost))];
}

function indices(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
