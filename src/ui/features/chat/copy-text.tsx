/** Copies words of the conversation as they were written, and says whether the browser let it. */
import { Copy } from 'lucide-react';
import { useState } from 'react';
import type { ChatMessageRecord } from '../../../runtime/engine/protocol/protocol.ts';

interface CopyTextProps {
  readonly text: string;
  readonly label: string;
  readonly title: string;
}

export function CopyText({ text, label, title }: CopyTextProps) {
  const [outcome, setOutcome] = useState<'copied' | 'refused' | null>(null);
  return (
    <button
      type="button"
      className="link"
      title={title}
      onClick={() => {
        copy(text).then(
          () => {
            setOutcome('copied');
          },
          () => {
            setOutcome('refused');
          },
        );
      }}
    >
      <Copy size={12} aria-hidden />{' '}
      <span aria-live="polite">
        {outcome === null ? label : outcome === 'copied' ? 'Copied' : 'The browser refused to copy'}
      </span>
    </button>
  );
}

/** The clipboard is there only where the page is secure. */
async function copy(text: string): Promise<void> {
  await ((navigator.clipboard as Clipboard | undefined) ?? refusing).writeText(text);
}

const refusing = {
  writeText: () => Promise.reject(new Error('There is no clipboard.')),
};

/** A conversation as plain text: who says what, and nothing that only the page says. */
export function chatAsText(messages: readonly ChatMessageRecord[]): string {
  return messages
    .map(({ role, text }) => `${role === 'user' ? 'You' : 'Model'}: ${text.trim()}`)
    .join('\n\n');
}
