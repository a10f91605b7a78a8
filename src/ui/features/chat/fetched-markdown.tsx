/**
 * What a model wrote, drawn by `answer-markdown.tsx`, which is fetched with the first answer. Until then, and where it
 * cannot be fetched, the text stands as it was written.
 */
import { type ComponentType, useEffect, useState } from 'react';
import type { AnswerMarkdownProps } from './answer-markdown.tsx';

export function FetchedMarkdown(props: AnswerMarkdownProps) {
  const [Markdown, setMarkdown] = useState<ComponentType<AnswerMarkdownProps> | null>(null);
  useEffect(() => {
    let isGone = false;
    import('./answer-markdown.tsx').then(
      ({ AnswerMarkdown }) => {
        if (!isGone) setMarkdown(() => AnswerMarkdown);
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, []);
  if (Markdown !== null) return <Markdown {...props} />;
  const { source, drawText } = props;
  return <p className="as-written">{drawText === undefined ? source : drawText(source, 0)}</p>;
}
