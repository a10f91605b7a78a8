/** A line over the timeline: which preset runs, what to watch, and its question when the text has been read. */
import { Eye, MessageCircleQuestion, X } from 'lucide-react';
import { IconButton } from '../../widgets/icon-button.tsx';
import { useStore } from 'zustand';
import type { Presets } from './presets.ts';
import { useSession } from '../../view/hooks.ts';

export function PresetStory({ presets }: { readonly presets: Presets }) {
  const { preset, sessionId, watch, question } = useStore(presets.store);
  const opened = useSession((state) => state.session?.record.id);
  if (!preset || opened !== sessionId) return null;
  return (
    <div className="preset-story" role="status" aria-label={`Preset: ${preset.title}`}>
      <Eye size={16} aria-hidden />
      <p>
        <strong>{preset.title}.</strong> {watch}
      </p>
      {question !== null && (
        <button type="button" className="button primary" onClick={() => void presets.ask()}>
          <MessageCircleQuestion size={14} aria-hidden /> Ask “{question}”
        </button>
      )}
      <IconButton
        icon={X}
        label="Close the story"
        onClick={() => {
          presets.close();
        }}
      />
    </div>
  );
}
