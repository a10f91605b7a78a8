/** Says how far a branch is, with the way to stop it, and the way to the comparison once it has ended. */
import { Columns2, GitFork, Square, X } from 'lucide-react';
import { IconButton } from '../../widgets/icon-button.tsx';
import { useSession } from '../../model/session-store.ts';
import { formatCount } from '../../words/format.ts';
import { compareWithOriginal, stopBranch } from './branch-actions.ts';
import { useBranch } from './branch-store.ts';

const ENDINGS = { done: 'is complete', stopped: 'was stopped', failed: 'ended early' } as const;

export function BranchBanner() {
  const progress = useBranch((state) => state.progress);
  const isOpen = useSession((state) => state.session?.record.id === progress?.branchId);
  if (!progress || !isOpen) return null;
  const { phase, originalTitle, step, doneTokens, totalTokens, notes, error } = progress;
  const name = (
    <>
      Branch of <strong>{originalTitle}</strong> at step {formatCount(step)}
    </>
  );
  if (phase === 'replaying') {
    return (
      <div className="banner recording-banner" role="status">
        <GitFork size={16} aria-hidden />
        <span>{name}</span>
        <progress aria-label="Replaying the branch" value={doneTokens} max={Math.max(totalTokens, 1)} />
        <span className="muted tabular">
          {formatCount(doneTokens)} of {formatCount(totalTokens)} tokens
        </span>
        <button type="button" className="button" onClick={() => void stopBranch()}>
          <Square size={12} aria-hidden /> Stop
        </button>
      </div>
    );
  }
  return (
    <div className="banner recording-banner" role="status">
      <GitFork size={16} aria-hidden />
      <span>
        {name} {ENDINGS[phase]}.{error && ` ${error.message}`}
        {notes.length > 0 && <span className="muted"> {notes.join(' ')}</span>}
      </span>
      <button type="button" className="button primary" onClick={compareWithOriginal}>
        <Columns2 size={14} aria-hidden /> Compare with the original
      </button>
      <IconButton
        icon={X}
        label="Dismiss"
        onClick={() => {
          useBranch.setState({ progress: null });
        }}
      />
    </div>
  );
}
