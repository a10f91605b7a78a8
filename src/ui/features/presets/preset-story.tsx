/** A line over the timeline: which preset runs, what to watch, and its question when the text has been read. */
import { Eye, MessageCircleQuestion, X } from 'lucide-react';
import { IconButton } from '../../widgets/icon-button.tsx';
import { usePreset } from './preset-store.ts';
import { useSession } from '../../model/session-store.ts';
import { askPresetQuestion } from './apply-preset.ts';

export function PresetStory() {
  const { preset, sessionId, watch, question } = usePreset();
  const opened = useSession((state) => state.session?.record.id);
  if (!preset || opened !== sessionId) return null;
  return (
    <div className="preset-story" role="status" aria-label={`Preset: ${preset.title}`}>
      <Eye size={16} aria-hidden />
      <p>
        <strong>{preset.title}.</strong> {watch}
      </p>
      {question !== null && (
        <button type="button" className="button primary" onClick={() => void askPresetQuestion()}>
          <MessageCircleQuestion size={14} aria-hidden /> Ask “{question}”
        </button>
      )}
      <IconButton
        icon={X}
        label="Close the story"
        onClick={() => {
          usePreset.setState({ preset: null, sessionId: null });
        }}
      />
    </div>
  );
}
