/** What stands in the timeline before there is anything to draw. */
import { formatCompact } from '../../words/format.ts';
import { usePlayhead, useSession } from '../../view/hooks.ts';

export function TimelineEmpty() {
  const phase = useSession((state) => state.phase);
  const empty = usePlayhead((state) => state.count === 0);
  const progress = useSession((state) => state.progress);
  const pending = useSession((state) => state.session?.pendingTokens ?? 0);
  if (!empty) return null;
  return (
    <div className="timeline-empty" role="status">
      {phase === 'failed' ? (
        <>
          <h3>The engine did not start</h3>
          <p>What went wrong is told below. Choose another backend in the top bar, or reload the page.</p>
        </>
      ) : phase !== 'ready' ? (
        <>
          <h3>{phase === 'booting' ? 'Waking the model' : 'Opening the session'}</h3>
          <p className="muted">{progress?.label ?? 'Looking for the fastest backend that works here…'}</p>
          <progress
            aria-label="Loading"
            {...(progress && progress.total > 0 ? { value: progress.done, max: progress.total } : {})}
          />
        </>
      ) : pending > 0 ? (
        <>
          <h3>{formatCompact(pending)} tokens are waiting</h3>
          <p className="muted">
            Press Run and watch blocks expand and collapse, or Step to go block by block.
          </p>
        </>
      ) : (
        <>
          <h3>This session has no history yet</h3>
          <p className="muted">
            Add a document on the left, or ask something in the chat. Each 32 tokens make one step here.
          </p>
        </>
      )}
    </div>
  );
}
