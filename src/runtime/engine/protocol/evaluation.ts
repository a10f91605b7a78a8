/** What crosses the worker's border about evaluations. Reports are core's: `core/evaluation-report`. */
import { z } from '../../../base/zod.ts';
import { runConfigSchema } from '../../../core/trace/config.ts';
import type { EvaluationReport } from '../../../core/evaluation-report/report.ts';

const names = z.array(z.string().max(100)).max(64);

/** What to evaluate. Names are those of the catalogue. */
export const evaluationRequestSchema = z.object({
  suite: z.string().max(100),
  tasks: names.min(1),
  /** None for a suite that takes none. */
  policies: names,
  /** Ways to read, of a suite that compares those; none for any other. */
  arms: names,
  /** Forms in which facts are said and asked, for a suite that has them. */
  templates: z.enum(['core', 'trained', 'held-out']),
  /** Lengths of the histories, in tokens. */
  historyTokens: z.array(z.number().int().min(64).max(2_000_000)).min(1).max(16),
  /** Questions of each cell. */
  samples: z.number().int().min(1).max(10_000),
  seed: runConfigSchema.shape.seed,
  budgetTokens: runConfigSchema.shape.budgetTokens,
});
export type EvaluationRequest = z.infer<typeof evaluationRequestSchema>;

interface Choice {
  readonly id: string;
  readonly sentence: string;
}

/** What can be evaluated. */
export interface EvaluationCatalogue {
  readonly suites: readonly {
    readonly id: string;
    readonly tasks: readonly Choice[];
    readonly defaultTasks: readonly string[];
    /** Policies that run where none are named; none where the suite compares something else. */
    readonly defaultPolicies: readonly string[];
    /** Ways to read that it compares in place of policies, and those that are chosen at first. */
    readonly arms: readonly string[];
    readonly defaultArms: readonly string[];
    /** Whether facts can be said and asked in other forms than core ones. */
    readonly hasTemplates: boolean;
  }[];
  readonly policies: readonly Choice[];
}

export interface EvaluationProgress {
  /** Of the whole run, 0..1. */
  readonly share: number;
  /** What is under way, in words. */
  readonly label: string;
}

export interface EvaluationOutcome {
  readonly report: EvaluationReport;
  /** False after a cancellation: the report holds what was counted until then. */
  readonly isComplete: boolean;
}
