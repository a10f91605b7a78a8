/** Long texts that were pasted: a chip each instead of a field that holds them, with how they begin. */
import { ClipboardPaste, X } from 'lucide-react';
import { useStore } from 'zustand';
import { dropPaste } from '../../model/text-draft.ts';
import { useModel } from '../../view/hooks.ts';
import { IconButton } from '../../widgets/icon-button.tsx';

const PREVIEW_CHARACTERS = 600;
const MEGABYTE = 1_000_000;

export function PastedTexts() {
  const { textDraft } = useModel();
  const pasted = useStore(textDraft, (state) => state.pasted);
  if (pasted.length === 0) return null;
  return (
    <ul className="pasted" aria-label="Pasted texts">
      {pasted.map(({ id, text }) => (
        <li key={id}>
          <details>
            <summary>
              <ClipboardPaste size={14} aria-hidden /> Pasted text, {sizeWords(text.length)}
              <span className="muted"> preview</span>
            </summary>
            <pre translate="no">{text.slice(0, PREVIEW_CHARACTERS)}…</pre>
          </details>
          <IconButton
            icon={X}
            label="Remove the pasted text"
            onClick={() => {
              dropPaste(textDraft, id);
            }}
          />
        </li>
      ))}
    </ul>
  );
}

/** Of characters, as the bytes that most of them take. */
function sizeWords(characters: number): string {
  return characters >= MEGABYTE / 10
    ? `${(characters / MEGABYTE).toFixed(1)} MB`
    : `${Math.round(characters / 1000)} kB`;
}
