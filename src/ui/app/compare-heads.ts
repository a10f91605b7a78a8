/** One window against four heads on the same input, at one command: a branch from the first step, beside its original. */
import type { CommandEntry } from '../commands/commands.ts';
import type { Compare } from '../features/compare/compare.ts';
import type { Model } from '../model/model.ts';

const SEVERAL = 4;

export function compareHeadsCommand(model: Model, compare: Compare): CommandEntry {
  return {
    id: 'compare-heads',
    title: 'Compare one window with four heads on this session',
    group: 'Session',
    keys: [],
    run: () => void branchWithHeads(model, compare),
  };
}

/** What the session has one of, its branch has four of, and the other way round. */
async function branchWithHeads(
  { engine, intake, mirror, shown, problems, actions }: Model,
  compare: Compare,
): Promise<void> {
  const { session } = mirror.getState();
  const first = shown.isLive ? shown.live.frameAt(0) : undefined;
  if (!session || !first) {
    problems.report({
      title: 'There is nothing to compare',
      message: 'The session that is shown has no refocus step yet, or it is a recording.',
      kept: 'Nothing was changed.',
      tryNext: 'Open a session of your own and add a document, or start a preset.',
      tone: 'info',
    });
    return;
  }
  const { id: sessionId, title } = session.record;
  const heads = session.config.heads === 1 ? SEVERAL : 1;
  try {
    const snapshot = await engine.send({
      kind: 'branchSession',
      sessionId,
      step: first.step,
      title: `${heads === 1 ? 'One window' : `${SEVERAL} heads`}: ${title}`.slice(0, 120),
      changes: heads === 1 ? { heads, mutedHeads: '', headCues: '' } : { heads },
    });
    await intake.acceptSnapshot(snapshot);
    compare.openSessions(sessionId, snapshot.state.record.id);
  } catch (error) {
    problems.reportError('The session could not be repeated with other heads', error);
  } finally {
    await actions.refreshSessions();
  }
}
