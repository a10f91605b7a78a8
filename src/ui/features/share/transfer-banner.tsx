/** Says that a session file is being saved or read, how far it is, and offers to stop it. */
import { Archive, X } from 'lucide-react';
import { formatCompact } from '../../words/format.ts';
import { useModel, useSession } from '../../view/hooks.ts';

export function TransferBanner() {
  const { actions } = useModel();
  const progress = useSession((state) => state.progress);
  if (progress?.task !== 'transfer') return null;
  const { label, done, total } = progress;
  return (
    <div className="banner recording-banner" role="status">
      <Archive size={16} aria-hidden />
      <span>{label}</span>
      <progress aria-label={label} value={done} max={total} />
      <span className="muted tabular">
        {formatCompact(done)} of {formatCompact(total)} bytes
      </span>
      <button type="button" className="button" onClick={() => void actions.stopTransfer()}>
        <X size={14} aria-hidden /> Stop
      </button>
    </div>
  );
}
