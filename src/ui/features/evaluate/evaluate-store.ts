/** What the evaluation panel shows: its form, the run under way, and the finished reports. */
import { create } from 'zustand';
import type { Notice } from '../../../runtime/engine/protocol/protocol.ts';
import type {
  EvaluationCatalogue,
  EvaluationProgress,
  EvaluationReport,
} from '../../../runtime/engine/protocol/evaluation.ts';
import type { EvaluateForm } from './evaluate-form.ts';
import { type KeptReport, readShelf, writeShelf } from './report-shelf.ts';
import type { ShownReport } from './series.ts';

interface RunUnderWay {
  readonly progress: EvaluationProgress;
  readonly startedAtMs: number;
  /** How long the rest takes at the pace so far; null while that says little. */
  readonly leftMs: number | null;
  readonly isCancelling: boolean;
  /** What is counted so far. */
  readonly report: EvaluationReport | null;
}

interface EvaluateStore {
  readonly catalogue: EvaluationCatalogue | null;
  readonly form: EvaluateForm;
  readonly running: RunUnderWay | null;
  /** The newest first. */
  readonly reports: readonly KeptReport[];
  readonly shownId: string | null;
  readonly comparedId: string | null;
  /** How many of the reports outlive a reload. */
  readonly keptCount: number;
  /** As the last finished run measured it: see slotsOfWork. */
  readonly msPerSlot: number | null;
}

const MOST_REPORTS = 12;
/** Before this share of a run, its pace says little about the rest. */
const TELLING_SHARE = 0.02;

export const useEvaluate = create<EvaluateStore>()(() => {
  const reports = readShelf(storage());
  return {
    catalogue: null,
    form: {
      suite: 'recall',
      tasks: [],
      policies: [],
      lengths: '4x',
      samples: '20',
      budget: '',
      seed: '1',
    },
    running: null,
    reports,
    shownId: reports[0]?.id ?? null,
    comparedId: null,
    keptCount: reports.length,
    msPerSlot: null,
  };
});

/** Of the evaluation under way; one that ended meanwhile is not shown again. */
export function acceptEvaluation({ progress, report }: Extract<Notice, { kind: 'evaluation' }>): void {
  useEvaluate.setState(({ running }) => ({
    running: running && {
      ...running,
      progress,
      leftMs: leftMs(performance.now() - running.startedAtMs, progress.share),
      report: report ?? running.report,
    },
  }));
}

/** Put a report on top, show it, and keep it. */
export function addReport(name: string, report: EvaluationReport, isComplete: boolean): void {
  const id = crypto.randomUUID();
  const reports = [{ id, name, isComplete, report }, ...useEvaluate.getState().reports].slice(
    0,
    MOST_REPORTS,
  );
  keep(reports);
  useEvaluate.setState(({ comparedId }) => ({
    shownId: id,
    comparedId: reports.some((one) => one.id === comparedId) ? comparedId : null,
  }));
}

export function removeReport(id: string): void {
  const reports = useEvaluate.getState().reports.filter((one) => one.id !== id);
  keep(reports);
  useEvaluate.setState(({ shownId, comparedId }) => ({
    shownId: shownId === id ? (reports[0]?.id ?? null) : shownId,
    comparedId: comparedId === id ? null : comparedId,
  }));
}

/** The reports that the results are of: the running one first, while there is something of it. */
export function shownReports(
  state: Pick<EvaluateStore, 'running' | 'reports' | 'shownId' | 'comparedId'>,
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

function keep(reports: readonly KeptReport[]): void {
  useEvaluate.setState({ reports, keptCount: writeShelf(reports, storage()) });
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
