/** How far the history's gists are made anew after GistNet changed, and ways to pause it and go on. */
import { Pause, Play } from 'lucide-react';
import { formatCount } from '../../words/format.ts';
import { useModel, useSession } from '../../view/hooks.ts';

export function GistRenewal() {
  const { actions } = useModel();
  const renewal = useSession((state) => state.session?.gistRenewal ?? null);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  if (renewal === null) return null;
  const { left, total, isRunning } = renewal;
  return (
    <div className="gist-renewal" role="group" aria-label="Gists of other weights">
      <p className="muted">
        GistNet changed: {formatCount(total - left)} of {formatCount(total)} gists are made anew. The others
        are read as they are, level by level the new ones take their place.
      </p>
      <div className="ingest-progress">
        <progress aria-label="Making gists anew" value={total - left} max={total} />
        {!readOnly && (
          <button type="button" className="button" onClick={() => void actions.renewGists(!isRunning)}>
            {isRunning ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
            {isRunning ? 'Pause making gists' : 'Go on making gists'}
          </button>
        )}
      </div>
    </div>
  );
}
