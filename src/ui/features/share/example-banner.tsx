/** Over the recorded example of a first visit: that it is recorded, how far the model is, and the way to live. */
import { FileClock, Radio } from 'lucide-react';
import { formatCompact } from '../../words/format.ts';
import { useModel, useFirstMinute, useSession } from '../../view/hooks.ts';

export function ExampleBanner() {
  const { recordings } = useModel();
  const phase = useSession((state) => state.phase);
  const progress = useSession((state) => state.progress);
  const touched = useFirstMinute((state) => state.touched);
  const isReady = phase === 'ready';
  return (
    <div className="banner example-banner">
      <FileClock size={16} aria-hidden />
      <span role="status">
        <strong>Recorded example.</strong>{' '}
        {phase === 'failed'
          ? 'The model did not start; the recording can still be played.'
          : isReady
            ? touched
              ? 'The live session runs behind it.'
              : 'The live session begins…'
            : 'The model is loading…'}
      </span>
      {!isReady && phase !== 'failed' && (
        <>
          <progress
            aria-label="Loading the model"
            {...(progress && progress.total > 0 ? { value: progress.done, max: progress.total } : {})}
          />
          {progress && progress.total > 0 && (
            <span className="muted tabular">
              {formatCompact(progress.done)} of {formatCompact(progress.total)} bytes
            </span>
          )}
        </>
      )}
      {isReady && (
        <button
          type="button"
          className="button"
          onClick={() => {
            recordings.close();
          }}
        >
          <Radio size={14} aria-hidden /> To the live session
        </button>
      )}
    </div>
  );
}
