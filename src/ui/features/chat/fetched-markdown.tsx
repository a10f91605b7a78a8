/**
 * What a model wrote, drawn by `answer-markdown.tsx`, which is fetched with the first answer. Until then, and where it
 * cannot be fetched, the text stands as it was written.
 */
import { Loaded } from '../../widgets/loaded.tsx';
import type { AnswerMarkdownProps } from './answer-markdown.tsx';

export function FetchedMarkdown(properties: AnswerMarkdownProps) {
  const { source, drawText } = properties;
  return (
    <Loaded
      load={loadMarkdown}
      properties={properties}
      until={<p className="as-written">{drawText === undefined ? source : drawText(source, 0)}</p>}
      onFailure={() => undefined}
    />
  );
}

async function loadMarkdown() {
  return (await import('./answer-markdown.tsx')).AnswerMarkdown;
}
