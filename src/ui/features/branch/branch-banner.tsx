/** Says how far a branch is, with the way to stop it, and the way to the comparison once it has ended. */
import { useStore } from 'zustand';
import { Columns2, GitFork, Square, X } from 'lucide-react';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatCount } from '../../words/format.ts';
import type { Branch } from './branch.ts';
import { useSession } from '../../view/hooks.ts';

const ENDINGS = { done: 'is complete', stopped: 'was stopped', failed: 'ended early' } as const;

interface BranchBannerProps {
  readonly branch: Branch;
  /** Show the two side by side. */
  readonly onCompare: (originalId: string, branchId: string) => void;
}

export function BranchBanner({ branch, onCompare }: BranchBannerProps) {
  const progress = useStore(branch.store, (state) => state.progress);
  const isOpen = useSession((state) => state.session?.record.id === progress?.branchId);
  if (!progress || !isOpen) return null;
  const { phase, originalId, branchId, originalTitle, step, without, doneTokens, totalTokens, notes, error } =
    progress;
  const name =
    without === null ? (
      <>
        Branch of <strong>{originalTitle}</strong> at step {formatCount(step)}
      </>
    ) : (
      <>
        <strong>{originalTitle}</strong> without <strong translate="no">{without}</strong>
      </>
    );
  if (phase === 'replaying') {
    return (
      <div className="banner recording-banner" role="status">
        <GitFork size={16} aria-hidden />
        <span>{name}</span>
        <progress aria-label="Replaying the original" value={doneTokens} max={Math.max(totalTokens, 1)} />
        <span className="muted tabular">
          {formatCount(doneTokens)} of {formatCount(totalTokens)} tokens
        </span>
        <button type="button" className="button" onClick={() => void branch.stop()}>
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
      <button
        type="button"
        className="button primary"
        onClick={() => {
          onCompare(originalId, branchId);
        }}
      >
        <Columns2 size={14} aria-hidden /> Compare with the original
      </button>
      <IconButton
        icon={X}
        label="Dismiss"
        onClick={() => {
          branch.dismiss();
        }}
      />
    </div>
  );
}
