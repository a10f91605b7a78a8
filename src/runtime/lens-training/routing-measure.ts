/** How well scores agree with measured gains: calibration and routing on held-out states. Pure. */
import { Rng } from '../../base/rng.ts';
import { expectedGainNats } from '../../core/policies/score-unit.ts';
import { spearman, wilsonInterval } from '../../base/statistics.ts';
import type { MeasuredState } from './collect.ts';
import type { CalibrationPoint, RoutingMeasure } from './messages.ts';
import { unitScore } from './moves.ts';
import { TELLING_NATS, worthOfDetail } from './targets.ts';

const RESAMPLES = 400;

export interface ScoredState {
  readonly state: MeasuredState;
  /** `[entries]` of the LensNet that is measured. */
  readonly scores: Float32Array;
}

/**
 * @param k - an expansion counts as found among the k highest-scored gists of the whole working context.
 * @param seed - of the bootstrap.
 */
export function measureRouting(
  scored: readonly ScoredState[],
  k: number,
  step: number,
  seed: number,
): Omit<RoutingMeasure, 'answered' | 'cloze'> {
  const perState = scored.map(({ state, scores }) =>
    state.moves.map((move): CalibrationPoint => {
      return {
        score: unitScore(scores, move),
        detailNats: worthOfDetail(move),
        kind: move.kind,
        lod: move.lod,
      };
    }),
  );
  const found = scored.map((each) => findsBest(each, k)).filter((hit) => hit !== null);
  const hits = found.filter(Boolean).length;
  return {
    step,
    states: scored.length,
    spearman: correlation(perState),
    spearmanCi95: bootstrap(perState, seed),
    recall: {
      k,
      hits,
      n: found.length,
      ci95: found.length === 0 ? null : wilsonInterval(hits, found.length),
    },
    points: perState.flat(),
  };
}

/** Null where no expansion gained enough to matter. */
function findsBest({ state, scores }: ScoredState, k: number): boolean | null {
  const expansions = state.moves.filter(({ kind }) => kind === 'expand');
  const best = expansions.reduce<(typeof expansions)[number] | null>(
    (winner, move) => (winner === null || move.gainNats > winner.gainNats ? move : winner),
    null,
  );
  if (best === null || best.gainNats < TELLING_NATS) return null;
  const own = scores[best.first]!;
  const better = state.layout.entries.filter(({ lod }, i) => lod > 0 && scores[i]! > own).length;
  return better < k;
}

function correlation(perState: readonly (readonly CalibrationPoint[])[]): number | null {
  const points = perState.flat();
  return spearman(
    points.map(({ score, lod }) => expectedGainNats(score, lod)),
    points.map(({ detailNats }) => detailNats),
  );
}

/** Percentile bootstrap over states: moves of one state are not independent. */
function bootstrap(
  perState: readonly (readonly CalibrationPoint[])[],
  seed: number,
): readonly [number, number] | null {
  if (perState.length < 2) return null;
  const rng = new Rng(seed);
  const values: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    const value = correlation(perState.map(() => perState[rng.nextInt(perState.length)]!));
    if (value !== null) values.push(value);
  }
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))]!;
  return [at(0.025), at(0.975)];
}
