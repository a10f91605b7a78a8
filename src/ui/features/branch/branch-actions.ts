/** Branching as the user does it: open the form at the shown step, start, stop, and compare with the original. */
import { type RunConfig, ConfigError, applyConfigChanges } from '../../../core/trace/config.ts';
import { compareSessions } from '../compare/compare-actions.ts';
import { currentRun, liveRun } from '../../model/current-run.ts';
import { attempt, send, showSnapshot } from '../../model/engine-session.ts';
import { refreshSessions } from '../../model/session-actions.ts';
import { shownIndex } from '../../model/shown-frame.ts';
import { report, reportError } from '../../model/problem-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { formatCount } from '../../words/format.ts';
import { useBranch } from './branch-store.ts';

/** Open the form at the step under the playhead. */
export function openBranch(): void {
  const run = liveRun();
  const frame = run.frameAt(Math.max(0, shownIndex()));
  const { session } = useSession.getState();
  if (run !== currentRun || !frame || !session) {
    const isRecording = run !== currentRun;
    report({
      title: 'There is nothing to branch from',
      message: isRecording
        ? 'A recording has no history that could be read again.'
        : 'The session has no refocus step yet.',
      kept: 'Nothing was changed.',
      tryNext: isRecording
        ? 'Go back to the live session, then branch from one of its steps.'
        : 'Add a document or ask something first.',
      tone: 'info',
    });
    return;
  }
  setBranchStep(frame.step);
  useShell.setState({ dialog: 'branch' });
}

/** Branch from another step; what was changed stays changed where it still differs. */
export function setBranchStep(step: number): void {
  const run = liveRun();
  const original = run.configAt(run.indexOfStep(step)) ?? useSession.getState().session?.config;
  if (!original) return;
  const { form } = useBranch.getState();
  useBranch.setState({ form: { step, original, changes: differing(original, form?.changes ?? {}) } });
}

/** @returns what is wrong with a value; null if it was taken. */
export function changeBranch(changes: Readonly<Record<string, unknown>>): string | null {
  const { form } = useBranch.getState();
  if (!form) return null;
  try {
    const config = applyConfigChanges({ ...form.original, ...form.changes }, changes);
    useBranch.setState({ form: { ...form, changes: differing(form.original, config) } });
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

function differing(original: RunConfig, config: Partial<RunConfig>): Partial<RunConfig> {
  return Object.fromEntries(
    Object.entries(config).filter(([id, value]) => original[id as keyof RunConfig] !== value),
  );
}

/** Make the branch and show it while it grows. */
export async function startBranch(): Promise<void> {
  const { form } = useBranch.getState();
  const { session } = useSession.getState();
  if (!form || !session) return;
  const { id: sessionId, title } = session.record;
  useBranch.setState({ starting: true, progress: null });
  try {
    const snapshot = await send({
      kind: 'branchSession',
      sessionId,
      step: form.step,
      title: `Branch of ${title} at step ${formatCount(form.step)}`.slice(0, 120),
      changes: form.changes,
    });
    showSnapshot(snapshot);
    useBranch.setState({ form: null });
    useShell.setState({ dialog: null });
  } catch (error) {
    reportError('The branch could not be made', error);
  } finally {
    useBranch.setState({ starting: false });
    await refreshSessions();
  }
}

export async function stopBranch(): Promise<void> {
  await attempt('The branch could not be stopped', { kind: 'stopBranch' });
}

export function compareWithOriginal(): void {
  const { progress } = useBranch.getState();
  if (progress) compareSessions(progress.originalId, progress.branchId);
}
