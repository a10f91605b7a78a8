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

export interface AnswerMarkdownProps {
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

type Drawers = {
  readonly [Type in Nodes['type']]?: (node: Extract<Nodes, { type: Type }>, context: Context) => ReactNode;
};

/** HTML, pictures, references and definitions are missing here: they stay as they were written. */
const DRAWERS: Drawers = {
  paragraph: (node, context) => <p>{children(node, context)}</p>,
  heading: (node, context) =>
    node.depth < 3 ? <h4>{children(node, context)}</h4> : <h5>{children(node, context)}</h5>,
  emphasis: (node, context) => <em>{children(node, context)}</em>,
  strong: (node, context) => <strong>{children(node, context)}</strong>,
  blockquote: (node, context) => <blockquote>{children(node, context)}</blockquote>,
  list: (node, context) =>
    node.ordered ? (
      <ol start={node.start ?? 1}>{children(node, context)}</ol>
    ) : (
      <ul>{children(node, context)}</ul>
    ),
  listItem: (node, context) => <li>{children(node, context)}</li>,
  link: (node, context) => (
    <span className="inert-link" title={node.url}>
      {children(node, context)}
    </span>
  ),
  text: valueOf,
  inlineCode: (node, context) => <code>{valueOf(node, context)}</code>,
  code: (node, context) => (
    <pre>
      <code>{valueOf(node, context)}</code>
    </pre>
  ),
  thematicBreak: () => <hr />,
  break: () => <br />,
};

function draw(node: Nodes, context: Context): ReactNode {
  const drawer = DRAWERS[node.type] as ((node: Nodes, context: Context) => ReactNode) | undefined;
  if (drawer === undefined || context.depth > DEEPEST) return sourceOf(node, context);
  return drawer(node, context);
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
