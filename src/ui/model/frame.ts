/** One refocus as the page keeps it: its facts as fields of one shape, its scores in a column shared by the run. */
import { ChunkedRows } from '../../base/chunked-array.ts';
import type { ActionRecord, TelemetryEventOf } from '../../core/trace/telemetry.ts';

type RefocusEvent = TelemetryEventOf<'refocus'>;

/** One refocus without its layout: what tracks, tooltips and the transport read. */
export interface Frame extends Omit<RefocusEvent, 'layout' | 'scores' | 'type' | 'allocator'> {
  readonly index: number;
  /** To within 0.00002; decoded anew at every reading. */
  readonly scores: Float32Array;
  readonly scoreCount: number;
  readonly scoreMin: number;
  readonly scoreMean: number;
  readonly scoreMax: number;
  readonly expansions: number;
  readonly collapses: number;
  readonly evictions: number;
  readonly readmissions: number;
  /** What was forced between the refocus before and this one. */
  readonly between: readonly ActionRecord[];
}

/** Scores lie in [-1, 1]; kept in 16 bits, because a long run has a hundred million of them. */
const SCORE_STEPS = 32_767;

/** Scores of all frames of a run, one after the other. */
export class ScoreColumn {
  readonly #codes = new ChunkedRows((cells) => new Uint16Array(cells));

  /** @returns where they begin. */
  append(scores: readonly number[]): number {
    const first = this.#codes.length;
    this.#codes.append(
      scores.map((score) => Math.round((Math.min(Math.max(score, -1), 1) + 1) * SCORE_STEPS)),
    );
    return first;
  }

  /** A copy of `count` scores from `first` on. */
  read(first: number, count: number): Float32Array {
    return Float32Array.from(this.#codes.span(first, first + count), (code) => code / SCORE_STEPS - 1);
  }
}

/**
 * A class and no literal with a getter: literals with closures get a hidden class each, which costs a long run more
 * memory than all its fields.
 */
export class StoredFrame implements Frame {
  readonly head: number;
  readonly step: number;
  readonly timeMs: number;
  readonly cursor: number;
  readonly policy: string;
  readonly windowStart: number;
  readonly usedTokens: number;
  readonly budgetTokens: number;
  readonly entryCount: number;
  readonly actions: ActionRecord[];
  readonly swapRate: number;
  readonly utilisation: number;
  readonly meanResidency: number;
  readonly coherence: number | null;
  readonly trigger: RefocusEvent['trigger'];
  declare readonly thresholds?: NonNullable<RefocusEvent['thresholds']>;
  readonly scoreCount: number;
  readonly scoreMin: number;
  readonly scoreMean: number;
  readonly scoreMax: number;
  readonly expansions: number;
  readonly collapses: number;
  readonly evictions: number;
  readonly readmissions: number;
  readonly #column: ScoreColumn;
  readonly #firstScore: number;

  constructor(
    readonly index: number,
    event: RefocusEvent,
    column: ScoreColumn,
    readonly between: readonly ActionRecord[],
  ) {
    const { scores, actions } = event;
    this.head = event.head;
    this.step = event.step;
    this.timeMs = event.timeMs;
    this.cursor = event.cursor;
    this.policy = event.policy;
    this.windowStart = event.windowStart;
    this.usedTokens = event.usedTokens;
    this.budgetTokens = event.budgetTokens;
    this.entryCount = event.entryCount;
    this.actions = actions;
    this.swapRate = event.swapRate;
    this.utilisation = event.utilisation;
    this.meanResidency = event.meanResidency;
    this.coherence = event.coherence;
    this.trigger = event.trigger;
    if (event.thresholds !== undefined) this.thresholds = event.thresholds;
    const applied = (kind: ActionRecord['kind']) =>
      actions.filter((action) => action.applied && action.kind === kind).length;
    this.expansions = applied('expand');
    this.collapses = applied('collapse');
    this.evictions = applied('evict');
    this.readmissions = applied('readmit');
    this.scoreCount = scores.length;
    const { min, mean, max } = summaryOf(scores);
    this.scoreMin = min;
    this.scoreMean = mean;
    this.scoreMax = max;
    this.#column = column;
    this.#firstScore = column.append(scores);
  }

  get scores(): Float32Array {
    return this.#column.read(this.#firstScore, this.scoreCount);
  }
}

/** Zeros where nothing was scored. */
function summaryOf(scores: readonly number[]): { min: number; mean: number; max: number } {
  if (scores.length === 0) return { min: 0, mean: 0, max: 0 };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const score of scores) {
    min = Math.min(min, score);
    max = Math.max(max, score);
    sum += score;
  }
  return { min, mean: sum / scores.length, max };
}
