/** Runs one evaluation at a time for the page, beside the open session, and tells how far it is. */
import type { RunConfig } from '../../core/trace/config.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import { BUILD_COMMIT } from './build-commit.ts';
import type { Clock } from '../../base/clock.ts';
import { EngineError } from '../session/messages/errors.ts';
import type { Notice } from './protocol/protocol.ts';
import type { EvaluationCatalogue, EvaluationOutcome, EvaluationRequest } from './protocol/evaluation.ts';
import { casesSuite } from '../evaluation/suites/cases-suite.ts';
import { EVALUATION_POLICIES } from '../evaluation/baselines/policies.ts';
import { linesOf } from '../../core/question-records/record.ts';
import { recordsHeader } from '../evaluation/report/records-header.ts';
import type { EvaluationReport } from '../../core/evaluation-report/report.ts';
import { reportOf, runSuite, type UnitResult } from '../evaluation/run/run-suite.ts';
import { EvaluationError, type EvaluationOptions, type EvaluationUnit } from '../evaluation/plan/suite.ts';
import { suiteNamed, SUITES } from '../evaluation/suites/suites.ts';

/** A report is made of all counts anew; more often would cost more than it shows. */
const REPORT_EVERY_MS = 1000;

/** What needs no file: those are read by the command line alone. */
const PAGE_SUITES = SUITES.filter((suite) => suite !== casesSuite)
  .map((suite) => ({ ...suite, tasks: suite.tasks.filter(({ needsData = false }) => !needsData) }))
  .filter(({ tasks }) => tasks.length > 0);

/** What evaluations run on. */
export interface EvaluationSubject {
  readonly model: LoadedModel;
  readonly backend: string;
  /** All parameters but budget and seed. */
  readonly config: RunConfig;
}

export class EvaluationService {
  private abort: AbortController | null = null;
  private ended: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly clock: Clock,
    private readonly notify: (notice: Notice) => void,
    /** The commit that the code was built from; null where it is not known. */
    private readonly commit: string | null = BUILD_COMMIT,
  ) {}

  get catalogue(): EvaluationCatalogue {
    return {
      suites: PAGE_SUITES.map(({ id, tasks, defaultTasks, policies, arms, defaultArms, hasForms }) => ({
        id,
        tasks: tasks.map(({ id: task, sentence }) => ({ id: task, sentence })),
        defaultTasks: defaultTasks.filter((task) => tasks.some((known) => known.id === task)),
        defaultPolicies: policies,
        arms: arms ?? [],
        defaultArms: defaultArms ?? [],
        hasTemplates: hasForms ?? false,
      })),
      policies: EVALUATION_POLICIES.map(({ id, sentence }) => ({ id, sentence })),
    };
  }

  /**
   * Run to the end or until cancelled.
   *
   * @returns also after a cancellation, with what was counted until then.
   * @throws {EngineError} `busy` while another runs; {EvaluationError} for names and lengths that give no work.
   */
  async run(request: EvaluationRequest, subject: EvaluationSubject): Promise<EvaluationOutcome> {
    if (this.abort !== null) throw evaluationUnderWay();
    const options = optionsOf(request, subject);
    const abort = new AbortController();
    this.abort = abort;
    const running = this.runUnits(options, subject, abort.signal);
    this.ended = running.catch(() => undefined);
    try {
      return await running;
    } finally {
      this.abort = null;
    }
  }

  /** Returns once nothing of it runs any more. */
  async cancel(): Promise<void> {
    this.abort?.abort();
    await this.ended;
  }

  private async runUnits(
    options: EvaluationOptions,
    { model, backend }: EvaluationSubject,
    signal: AbortSignal,
  ): Promise<EvaluationOutcome> {
    const results: UnitResult[] = [];
    const report = (): EvaluationReport =>
      reportOf(results, { model: model.id, seed: options.seed, backend, commit: this.commit });
    const header = recordsHeader({
      createdAt: new Date(this.clock.wallClockMs()).toISOString(),
      modelId: model.id,
      modelHash: model.hash,
      backend,
      seed: options.seed,
      commit: this.commit,
      config: options.config,
    });
    let isBegun = false;
    const linesOfUnit = ({ records }: UnitResult): string | null => {
      if (records.length === 0) return null;
      const lines = records.map(linesOf).join('');
      const begun = isBegun ? lines : header + lines;
      isBegun = true;
      return begun;
    };
    let reportedAtMs = -Infinity;
    try {
      for await (const { share, unit, result } of runSuite(options, { model, clock: this.clock, signal })) {
        // Records go to the page at once and are not kept here, too.
        if (result !== null) results.push({ ...result, records: [] });
        const isDue = result !== null && this.clock.now() - reportedAtMs > REPORT_EVERY_MS;
        if (isDue) reportedAtMs = this.clock.now();
        this.notify({
          kind: 'evaluation',
          progress: { share, label: wordsOf(unit) },
          report: isDue ? report() : null,
          records: result === null ? null : linesOfUnit(result),
        });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      return { report: report(), isComplete: false };
    }
    return { report: report(), isComplete: true };
  }
}

function optionsOf(request: EvaluationRequest, { config }: EvaluationSubject): EvaluationOptions {
  const { suite, tasks, policies, arms, templates, historyTokens, samples, seed, budgetTokens } = request;
  const known = suiteNamed(suite).tasks.map(({ id }) => id);
  const ways = suiteNamed(suite).arms ?? [];
  const strange = tasks.find((task) => !known.includes(task));
  if (strange !== undefined) {
    throw new EvaluationError(`Unknown task "${strange}" of suite ${suite}. Known: ${known.join(', ')}.`);
  }
  if (policies.length === 0 && suiteNamed(suite).policies.length > 0) {
    throw new EvaluationError(`Suite ${suite} compares policies: name at least one.`);
  }
  const chosen = EVALUATION_POLICIES.filter(({ id }) => policies.includes(id)).map(({ id }) => id);
  if (chosen.length < new Set(policies).size) {
    const ids = EVALUATION_POLICIES.map(({ id }) => id).join(', ');
    throw new EvaluationError(`Unknown policy among ${policies.join(', ')}. Known: ${ids}.`);
  }
  if (arms.length === 0 && ways.length > 0) {
    throw new EvaluationError(`Suite ${suite} compares ways to read: name at least one.`);
  }
  const strangeArm = arms.find((arm) => !ways.includes(arm));
  if (strangeArm !== undefined) {
    throw new EvaluationError(
      `Unknown way to read "${strangeArm}" of suite ${suite}. Known: ${ways.join('; ') || 'none'}.`,
    );
  }
  return {
    suites: [suite],
    tasks,
    policies: chosen,
    ...(arms.length > 0 && { arms }),
    templates,
    samples,
    seed,
    lengths: historyTokens,
    config: { ...config, budgetTokens, seed },
    keepsRecords: true,
  };
}

function wordsOf({ task, historyTokens, index, n }: EvaluationUnit): string {
  return `${task}, ${historyTokens.toLocaleString('en-US')} tokens, history ${index + 1} with ${n} questions`;
}

function evaluationUnderWay(): EngineError {
  return new EngineError(
    'busy',
    'An evaluation is running.',
    'It goes on.',
    'Cancel it first, or wait until it is complete.',
  );
}
