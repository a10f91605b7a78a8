/** What a suite is: independent units of work that a seed fixes, each giving counts for its cells. */
import type { RunConfig } from '../../../core/trace/config.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { Clock } from '../../../base/clock.ts';
import type { TextCase } from '../cases/case-file.ts';
import type { CellCounts } from '../report/cell.ts';
import type { CellKey } from '../../../core/evaluation-report/report.ts';
import type { UnitRecords } from '../../../core/question-records/record.ts';
import type { DataParts, PublicData } from '../cases/public-data.ts';
import type { KeyCache } from '../memory/history-keys.ts';
import type { GistCache } from '../memory/history-memory.ts';
import type { Language } from '../world/languages.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';

/** What is to be evaluated. Plain data: it crosses threads and processes. */
export interface EvaluationOptions {
  readonly suites: readonly string[];
  /** Tasks of the suites; null for each suite's own choice. */
  readonly tasks: readonly string[] | null;
  readonly policies: readonly EvaluationPolicyId[];
  /** For a suite that has them: which of its arms; absent: its own choice. */
  readonly arms?: readonly string[];
  /** Questions a cell. */
  readonly samples: number;
  readonly seed: number;
  /** History lengths in tokens. */
  readonly lengths: readonly number[];
  /** Budget, allocator and all else. */
  readonly config: RunConfig;
  /** For suites that have them: the forms in which facts are said and asked; absent: core. */
  readonly templates?: Language;
  /** For the suite `cases` alone. */
  readonly cases?: readonly TextCase[];
  /** What the folder of public data holds; absent: there is none. */
  readonly data?: DataParts;
  /** For the suites `stream` and `heads`: read instead of a generated chronicle. */
  readonly text?: { readonly file: string; readonly content: string };
  /** Keep every question with the trace of its refocuses, where a suite asks questions. */
  readonly keepsRecords?: boolean;
  /** False: answers are decoded and the references not read, in half the time; what needs them is undefined. */
  readonly readsReference?: boolean;
}

/** Work that is done whole, by one process, and gives the same counts wherever it is done. */
export interface EvaluationUnit {
  readonly suite: string;
  readonly task: string;
  readonly templates: CellKey['templates'];
  readonly historyTokens: number;
  /** Of its task and length, from 0. */
  readonly index: number;
  /** Questions. */
  readonly n: number;
}

export interface UnitPorts {
  readonly model: LoadedModel;
  readonly clock: Clock;
  readonly gistCache?: GistCache;
  readonly keyCache?: KeyCache;
  /** The public data that tasks need. */
  readonly data?: PublicData;
  /** Told what was asked and answered; absent where nobody wants to know. */
  readonly keep?: (records: UnitRecords) => void;
  /** Awaited often, with the share of the unit that is done; may throw to give up. */
  readonly step: (share: number) => Promise<void>;
}

export interface EvaluationSuite {
  readonly id: string;
  /** `needsData`: from a folder, which only the command line reads. */
  readonly tasks: readonly { readonly id: string; readonly sentence: string; readonly needsData?: boolean }[];
  /** Tasks that run where none are named. */
  readonly defaultTasks: readonly string[];
  /** Questions a cell where no number is named. */
  readonly defaultSamples: number;
  readonly policies: readonly EvaluationPolicyId[];
  /** Ways to read that it compares in place of policies, and those of them that run where none are named. */
  readonly arms?: readonly string[];
  readonly defaultArms?: readonly string[];
  /** Whether facts can be said and asked in other forms than core ones. */
  readonly hasForms?: true;
  /** @throws {EvaluationError} for options that give no work, with what would. */
  plan(options: EvaluationOptions, model: LoadedModel): readonly EvaluationUnit[];
  run(unit: EvaluationUnit, options: EvaluationOptions, ports: UnitPorts): Promise<readonly CellCounts[]>;
}

/** Options, cases or data that cannot be evaluated; the message names them and the remedy. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** Names a unit; also the name of its cluster in the report. */
export function unitKey({ suite, task, templates, historyTokens, index }: EvaluationUnit): string {
  return [
    suite,
    task,
    ...(templates === 'seen' || templates === null ? [] : [templates]),
    historyTokens,
    index,
  ].join('/');
}
