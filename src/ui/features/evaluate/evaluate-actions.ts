/** What a user can do in the evaluation panel, each in one function. */
import { type EvaluationRequest, parseReport } from '../../../runtime/engine/protocol/evaluation.ts';
import { attempt, send } from '../../model/engine-session.ts';
import { report as reportProblem, reportError } from '../../model/problem-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { formatCompact } from '../../words/format.ts';
import { addReport, useEvaluate } from './evaluate-store.ts';
import { estimateWork, slotsOfWork } from './work-estimate.ts';

const LARGEST_REPORT_BYTES = 64 * 1024 * 1024;

export function openEvaluate(): void {
  useShell.setState({ dialog: 'evaluate' });
}

/** Ask the engine what can be evaluated, and fill what the form leaves open. */
export async function loadCatalogue(): Promise<void> {
  const catalogue = await attempt('The list of evaluations could not be read', { kind: 'listEvaluations' });
  const defaults = useSession.getState().boot?.defaults;
  if (catalogue === null) return;
  const { form } = useEvaluate.getState();
  const suite = catalogue.suites.find(({ id }) => id === form.suite) ?? catalogue.suites[0];
  if (suite === undefined) return;
  useEvaluate.setState({
    catalogue,
    form: {
      ...form,
      suite: suite.id,
      tasks: form.tasks.length > 0 ? form.tasks : suite.defaultTasks,
      policies: form.policies.length > 0 ? form.policies : suite.defaultPolicies,
      budget: form.budget === '' ? String(defaults?.budgetTokens ?? '') : form.budget,
    },
  });
}

/** Run an evaluation to its end, or until it is cancelled; what was counted becomes a report either way. */
export async function startEvaluation(request: EvaluationRequest): Promise<void> {
  const startedAtMs = performance.now();
  const progress = { share: 0, label: 'Starting' };
  useEvaluate.setState({
    running: { progress, startedAtMs, leftMs: null, isCancelling: false, report: null },
  });
  try {
    const { report, isComplete } = await send({ kind: 'evaluate', request });
    if (isComplete) {
      const work = slotsOfWork(estimateWork(request, null));
      useEvaluate.setState({ msPerSlot: (performance.now() - startedAtMs) / work });
    }
    if (isComplete || report.suites.length > 0) addReport(nameOf(request), report, isComplete);
  } catch (error) {
    const counted = useEvaluate.getState().running?.report ?? null;
    if (counted !== null) addReport(nameOf(request), counted, false);
    reportError('The evaluation ended early', error);
  } finally {
    useEvaluate.setState({ running: null });
  }
}

export async function cancelEvaluation(): Promise<void> {
  useEvaluate.setState(({ running }) => ({ running: running && { ...running, isCancelling: true } }));
  await attempt('The evaluation could not be cancelled', { kind: 'cancelEvaluation' });
}

/** Show a report that `npm run eval -- --json` wrote. */
export async function openReportFile(file: File): Promise<void> {
  if (file.size > LARGEST_REPORT_BYTES) {
    reportProblem({
      title: `${file.name} is too large`,
      message: `It has ${formatCompact(file.size)} bytes; reports of up to ${formatCompact(LARGEST_REPORT_BYTES)} are read.`,
      kept: 'Nothing of it was taken over.',
      tryNext: 'Choose the file that `npm run eval -- --json` wrote.',
      tone: 'error',
    });
    return;
  }
  try {
    addReport(file.name, parseReport(await file.text(), file.name), true);
  } catch (error) {
    reportError('The report could not be opened', error);
  }
}

function nameOf({ suite, samples, historyTokens }: EvaluationRequest): string {
  const time = new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const lengths = historyTokens.map(formatCompact).join(', ');
  return `${suite} · ${lengths} tokens · n = ${samples} · ${time}`;
}
