/**
 * What a model wrote, as the elements that its Markdown stands for. Nothing of it is trusted: HTML is shown as the text
 * that it is, links and pictures lead nowhere, and deep nesting stays source text. Half a document is one, too, so it
 * can be drawn while it is being written.
 */
import { fromMarkdown } from 'mdast-util-from-markdown';
import type { Nodes, Parents } from 'mdast';
import { Fragment, type ReactNode, useMemo } from 'react';

/** Draws characters `start..` of the source, or of what they stand for where the source is escaped. */
export type DrawText = (text: string, start: number) => ReactNode;

const DEEPEST = 24;

interface AnswerMarkdownProps {
  readonly source: string;
  readonly drawText?: DrawText;
}

export function AnswerMarkdown({ source, drawText = (text) => text }: AnswerMarkdownProps) {
  const root = useMemo(() => fromMarkdown(source), [source]);
  return <>{children(root, { source, drawText, depth: 0 })}</>;
}

interface Context {
  readonly source: string;
  readonly drawText: DrawText;
  readonly depth: number;
}

function children(parent: Parents, context: Context): ReactNode {
  return parent.children.map((node) => (
    <Fragment key={node.position?.start.offset}>
      {draw(node, { ...context, depth: context.depth + 1 })}
    </Fragment>
  ));
}

function draw(node: Nodes, context: Context): ReactNode {
  if (context.depth > DEEPEST) return sourceOf(node, context);
  switch (node.type) {
    case 'paragraph':
      return <p>{children(node, context)}</p>;
    case 'heading':
      return node.depth < 3 ? <h4>{children(node, context)}</h4> : <h5>{children(node, context)}</h5>;
    case 'emphasis':
      return <em>{children(node, context)}</em>;
    case 'strong':
      return <strong>{children(node, context)}</strong>;
    case 'blockquote':
      return <blockquote>{children(node, context)}</blockquote>;
    case 'list':
      return node.ordered ? (
        <ol start={node.start ?? 1}>{children(node, context)}</ol>
      ) : (
        <ul>{children(node, context)}</ul>
      );
    case 'listItem':
      return <li>{children(node, context)}</li>;
    case 'link':
      return (
        <span className="inert-link" title={node.url}>
          {children(node, context)}
        </span>
      );
    case 'text':
      return valueOf(node, context);
    case 'inlineCode':
      return <code>{valueOf(node, context)}</code>;
    case 'code':
      return (
        <pre>
          <code>{valueOf(node, context)}</code>
        </pre>
      );
    case 'thematicBreak':
      return <hr />;
    case 'break':
      return <br />;
    default:
      // HTML, pictures, references and definitions: as they were written.
      return sourceOf(node, context);
  }
}

/** A leaf's text, which is what stands in the source unless something was escaped. */
function valueOf(node: Nodes & { readonly value: string }, { source, drawText }: Context): ReactNode {
  const [start, end] = offsetsOf(node);
  const within = source.slice(start, end).indexOf(node.value);
  return drawText(node.value, start + Math.max(0, within));
}

function sourceOf(node: Nodes, { source, drawText }: Context): ReactNode {
  const [start, end] = offsetsOf(node);
  return drawText(source.slice(start, end), start);
}

function offsetsOf({ position }: Nodes): readonly [start: number, end: number] {
  return [position?.start.offset ?? 0, position?.end.offset ?? 0];
}
