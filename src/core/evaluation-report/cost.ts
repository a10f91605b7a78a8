/** Quality against cost, as plots show it: where each policy stands with a task and a length. Pure. */
import type { Cell } from './report.ts';
import type { Interval } from '../../base/statistics.ts';

export interface CostPoint {
  readonly policy: string;
  /** Tokens that the base reads for one question. */
  readonly baseTokens: number;
  readonly baseTokensCi95: Interval | null;
  /** Share of the questions. */
  readonly answered: number;
  readonly answeredCi95: Interval | null;
  readonly n: number;
}

/** None of a cell without answers or without a cost. */
export function costPoint(cell: Cell): CostPoint | null {
  const { policy, answered, answeredCi95, baseTokensPerQuestion, intervals, n } = cell;
  if (answered === null || baseTokensPerQuestion === null || baseTokensPerQuestion === undefined) return null;
  const baseTokensCi95 = intervals.baseTokensPerQuestion ?? null;
  return { policy, baseTokens: baseTokensPerQuestion, baseTokensCi95, answered, answeredCi95, n };
}
