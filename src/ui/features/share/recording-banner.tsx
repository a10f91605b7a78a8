/** Says that a recording is read or shown instead of the live session, what is known of it, and the way back. */
import { FileClock, Radio, X } from 'lucide-react';
import { type Recording } from '../../model/recordings.ts';
import { formatCompact } from '../../words/format.ts';
import { ExampleBanner } from './example-banner.tsx';
import { useModel, useFirstMinute, useRecording, useSession } from '../../view/hooks.ts';

export function RecordingBanner() {
  const { recordings } = useModel();
  const reading = useRecording((state) => state.reading);
  const recording = useRecording((state) => state.recording);
  const isFirstMinute = useFirstMinute((state) => state.playing);
  if (reading) {
    const { fileName, readBytes, totalBytes } = reading;
    return (
      <div className="banner recording-banner" role="status">
        <FileClock size={16} aria-hidden />
        <span>
          Reading <strong>{fileName}</strong>
        </span>
        <progress aria-label={`Reading ${fileName}`} value={readBytes} max={totalBytes} />
        <span className="muted tabular">
          {formatCompact(readBytes)} of {formatCompact(totalBytes)} bytes
        </span>
        <button
          type="button"
          className="button"
          onClick={() => {
            recordings.cancelReading();
          }}
        >
          <X size={14} aria-hidden /> Cancel
        </button>
      </div>
    );
  }
  if (!recording) return null;
  if (isFirstMinute) return <ExampleBanner />;
  return (
    <div className="banner recording-banner" role="status">
      <FileClock size={16} aria-hidden />
      <span>
        Recorded: <strong>{recording.fileName}</strong>
      </span>
      <span className="muted">
        <Origin recording={recording} />
      </span>
      <button
        type="button"
        className="button"
        onClick={() => {
          recordings.close();
        }}
      >
        <Radio size={14} aria-hidden /> Back to the live session
      </button>
    </div>
  );
}

function Origin({ recording: { header, notes } }: { readonly recording: Recording }) {
  const model = useSession((state) => state.boot?.model);
  const words =
    model === undefined || (model.id === header.modelId && model.hash === header.modelHash)
      ? `Model ${header.modelId} on ${header.backend}; read-only.`
      : model.id === header.modelId
        ? `Made with other weights of ${header.modelId}; it plays, read-only.`
        : `Made with another model, ${header.modelId}; it plays, read-only.`;
  return <>{[words, ...notes].join(' ')}</>;
}
