/** What is evaluated and what came of it: the form, the run under way, the finished reports. */
import { randomId } from '../../../base/random-id.ts';
import { createStore } from 'zustand';
import type { Notice } from '../../../runtime/engine/protocol/protocol.ts';
import {
  type EvaluationCatalogue,
  type EvaluationProgress,
  type EvaluationRequest,
} from '../../../runtime/engine/protocol/evaluation.ts';
import { type CellKey, type EvaluationReport, parseReport } from '../../../core/evaluation-report/report.ts';
import { readKind } from '../../model/files/file-kind.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { formatCompact } from '../../words/format.ts';
import type { EvaluateForm } from './evaluate-form.ts';
import { type KeptReport, readShelf, writeShelf } from './report-shelf.ts';
import type { ShownReport } from './series.ts';
import { estimateWork, slotsOfWork } from './work-estimate.ts';

interface RunUnderWay {
  readonly progress: EvaluationProgress;
  readonly startedAtMs: number;
  /** How long the rest takes at the pace so far; null while that says little. */
  readonly leftMs: number | null;
  readonly isCancelling: boolean;
  /** What is counted so far. */
  readonly report: EvaluationReport | null;
  /** Every question so far, as lines of a records file. */
  readonly records: readonly string[];
}

export interface EvaluationState {
  readonly catalogue: EvaluationCatalogue | null;
  readonly form: EvaluateForm;
  readonly running: RunUnderWay | null;
  /** The newest first. */
  readonly reports: readonly KeptReport[];
  readonly shownId: string | null;
  readonly comparedId: string | null;
  /** Questions of reports that this page made, by the report's id; they do not outlive a reload. */
  readonly records: ReadonlyMap<string, File>;
  /** How many of the reports outlive a reload. */
  readonly keptCount: number;
  /** As the last finished run measured it: see slotsOfWork. */
  readonly msPerSlot: number | null;
}

const MOST_REPORTS = 12;
/** Before this share of a run, its pace says little about the rest. */
const TELLING_SHARE = 0.02;

const LARGEST_REPORT_BYTES = 64 * 1024 * 1024;

export class Evaluation {
  readonly #store = createStore<EvaluationState>()(initialState);
  readonly #model: Model;

  constructor({ model, commands, notices }: Pick<Registry, 'model' | 'commands' | 'notices'>) {
    this.#model = model;
    notices.on('evaluation', (notice) => {
      this.#accept(notice);
    });
    commands.register({
      id: 'evaluate',
      title: 'Evaluate policies on questions',
      group: 'Page',
      keys: ['Shift+E'],
      run: () => {
        model.shell.setState({ dialog: 'evaluate' });
      },
    });
  }

  get store(): ReadableStore<EvaluationState> {
    return this.#store;
  }

  changeForm(changes: Partial<EvaluateForm>): void {
    this.#store.setState(({ form }) => ({ form: { ...form, ...changes } }));
  }

  showReport(shownId: string): void {
    this.#store.setState({ shownId });
  }

  /** Draw another report into the same plots; null for none. */
  compareWith(comparedId: string | null): void {
    this.#store.setState({ comparedId });
  }

  /** Ask the engine what can be evaluated, and fill what the form leaves open. */
  async loadCatalogue(): Promise<void> {
    const { engine, mirror } = this.#model;
    const catalogue = await engine.attempt('The list of evaluations could not be read', {
      kind: 'listEvaluations',
    });
    const defaults = mirror.getState().boot?.defaults;
    if (catalogue === null) return;
    const { form } = this.#store.getState();
    const suite = catalogue.suites.find(({ id }) => id === form.suite) ?? catalogue.suites[0];
    if (suite === undefined) return;
    this.#store.setState({
      catalogue,
      form: {
        ...form,
        suite: suite.id,
        tasks: form.tasks.length > 0 ? form.tasks : suite.defaultTasks,
        policies: form.policies.length > 0 ? form.policies : suite.defaultPolicies,
        arms: form.arms.length > 0 ? form.arms : suite.defaultArms,
        budget: form.budget === '' ? String(defaults?.budgetTokens ?? '') : form.budget,
      },
    });
  }

  /** Run an evaluation to its end, or until it is cancelled; what was counted becomes a report either way. */
  async start(request: EvaluationRequest): Promise<void> {
    const startedAtMs = performance.now();
    const progress = { share: 0, label: 'Starting' };
    this.#store.setState({
      running: { progress, startedAtMs, leftMs: null, isCancelling: false, report: null, records: [] },
    });
    try {
      const { report, isComplete } = await this.#model.engine.send({ kind: 'evaluate', request });
      if (isComplete) {
        const work = slotsOfWork(estimateWork(request, null));
        this.#store.setState({ msPerSlot: (performance.now() - startedAtMs) / work });
      }
      if (isComplete || report.suites.length > 0) this.#addReport(nameOf(request), report, isComplete);
    } catch (error) {
      const counted = this.#store.getState().running?.report ?? null;
      if (counted !== null) this.#addReport(nameOf(request), counted, false);
      this.#model.problems.reportError('The evaluation ended early', error);
    } finally {
      this.#store.setState({ running: null });
    }
  }

  async cancel(): Promise<void> {
    this.#store.setState(({ running }) => ({ running: running && { ...running, isCancelling: true } }));
    await this.#model.engine.attempt('The evaluation could not be cancelled', { kind: 'cancelEvaluation' });
  }

  /** Show a report that `npm run eval -- --json` wrote, or list the questions that `--records` wrote. */
  async openReport(file: File): Promise<void> {
    const { problems, questions, shell } = this.#model;
    const isRecords = await readKind(file).then(
      ({ kind }) => kind === 'records',
      () => false,
    );
    if (isRecords) {
      if (await questions.open(file)) shell.setState({ dialog: null });
      return;
    }
    if (file.size > LARGEST_REPORT_BYTES) {
      problems.report({
        title: `${file.name} is too large`,
        message: `It has ${formatCompact(file.size)} bytes; reports of up to ${formatCompact(LARGEST_REPORT_BYTES)} are read.`,
        kept: 'Nothing of it was taken over.',
        tryNext: 'Choose the file that `npm run eval -- --json` wrote, not its records.',
        tone: 'error',
      });
      return;
    }
    try {
      this.#addReport(file.name, parseReport(await file.text(), file.name), true);
    } catch (error) {
      problems.reportError('The report could not be opened', error);
    }
  }

  removeReport(id: string): void {
    const reports = this.#store.getState().reports.filter((one) => one.id !== id);
    this.#keep(reports);
    this.#store.setState(({ shownId, comparedId }) => ({
      shownId: shownId === id ? (reports[0]?.id ?? null) : shownId,
      comparedId: comparedId === id ? null : comparedId,
    }));
  }

  /** List the wrong answers of a cell, and show the first on the timeline. */
  async openWrong(file: File, cell: CellKey & { readonly suite: string }): Promise<void> {
    const { questions, shell } = this.#model;
    const { suite, task, policy, templates, historyTokens } = cell;
    const filter = { onlyWrong: true, suite, task, policy, templates, historyTokens };
    if (!(await questions.open(file, filter))) return;
    shell.setState({ dialog: null });
    await questions.chooseNeighbour(1);
  }

  /** Of the evaluation under way; one that ended meanwhile is not shown again. */
  #accept({ progress, report, records }: Extract<Notice, { kind: 'evaluation' }>): void {
    this.#store.setState(({ running }) => ({
      running: running && {
        ...running,
        progress,
        leftMs: leftMs(performance.now() - running.startedAtMs, progress.share),
        report: report ?? running.report,
        records: records === null ? running.records : [...running.records, records],
      },
    }));
  }

  /** Put a report on top, show it, and keep it. */
  #addReport(name: string, report: EvaluationReport, isComplete: boolean): void {
    const id = randomId();
    const lines = this.#store.getState().running?.records ?? [];
    const reports = [{ id, name, isComplete, report }, ...this.#store.getState().reports].slice(
      0,
      MOST_REPORTS,
    );
    this.#keep(reports);
    this.#store.setState(({ comparedId, records }) => ({
      shownId: id,
      records: new Map([
        ...[...records].filter(([known]) => reports.some((one) => one.id === known)),
        ...(lines.length === 0 ? [] : [[id, recordsFile(name, lines)] as const]),
      ]),
      comparedId: reports.some((one) => one.id === comparedId) ? comparedId : null,
    }));
  }

  #keep(reports: readonly KeptReport[]): void {
    this.#store.setState({ reports, keptCount: writeShelf(reports, storage()) });
  }
}

function initialState(): EvaluationState {
  const reports = readShelf(storage());
  return {
    catalogue: null,
    form: {
      suite: 'recall',
      tasks: [],
      policies: [],
      arms: [],
      templates: 'core',
      lengths: '4x',
      samples: '20',
      budget: '',
      seed: '1',
    },
    running: null,
    reports,
    records: new Map(),
    shownId: reports[0]?.id ?? null,
    comparedId: null,
    keptCount: reports.length,
    msPerSlot: null,
  };
}

/** The questions of the report that is shown first; null where the page has none. */
export function shownRecords({
  running,
  records,
  shownId,
}: Pick<EvaluationState, 'running' | 'records' | 'shownId'>): File | null {
  if (running?.report != null) return null;
  return (shownId === null ? undefined : records.get(shownId)) ?? null;
}

/** The reports that the results are of: the running one first, while there is something of it. */
export function shownReports(
  state: Pick<EvaluationState, 'running' | 'reports' | 'shownId' | 'comparedId'>,
): readonly ShownReport[] {
  const find = (id: string | null): KeptReport | undefined => state.reports.find((one) => one.id === id);
  const running = state.running?.report ?? null;
  const kept = find(state.shownId);
  const first =
    running === null
      ? kept && { name: kept.name, report: kept.report, isSecond: false }
      : { name: 'Under way', report: running, isSecond: false };
  if (first === undefined) return [];
  const other = state.comparedId === state.shownId && running === null ? undefined : find(state.comparedId);
  return other === undefined ? [first] : [first, { name: other.name, report: other.report, isSecond: true }];
}

function leftMs(elapsedMs: number, share: number): number | null {
  return share < TELLING_SHARE ? null : (elapsedMs / share) * (1 - share);
}

/** @param lines - parts of the file, in order. */
function recordsFile(name: string, lines: readonly string[]): File {
  return new File([...lines], `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.jsonl`, { type: 'application/jsonl' });
}

function nameOf({ suite, templates, samples, historyTokens }: EvaluationRequest): string {
  const time = new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const lengths = historyTokens.map(formatCompact).join(', ');
  const forms = templates === 'core' ? '' : ` (${templates} forms)`;
  return `${suite}${forms} · ${lengths} tokens · n = ${samples} · ${time}`;
}

/** localStorage, or nothing where it is forbidden. */
function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    return globalThis.localStorage;
  } catch {
    return {
      getItem: () => null,
      setItem: () => {
        throw new Error('Storage is forbidden.');
      },
    };
  }
}
