/** One question as it was asked, answered and judged: what a figure is made of. Plain data; nothing here is a secret of a model. */
import type { CellKey } from '../../../core/evaluation-report/report.ts';

export interface QuestionRecord extends CellKey {
  readonly suite: string;
  /** Names the history: suite, task, length and index, from which its seed follows. */
  readonly history: string;
  /** Of the history's questions, from 0. */
  readonly question: number;
  readonly asked: string;
  /** What the answer must hold; empty for a question that the history does not answer. */
  readonly expected: readonly string[];
  readonly decoded: string;
  readonly isAnswered: boolean;
  readonly isReferenceRead: boolean;
  readonly isRouted: boolean | null;
  /** Tokens `[start, end)` of the history that hold the answer; null where nobody knows. */
  readonly gold: readonly (readonly [number, number])[] | null;
  /** The working context when the answer began: `[lod, start, end]`. */
  readonly layout: readonly (readonly [number, number, number])[];
  readonly baseTokens: number;
  readonly ms: number;
}
