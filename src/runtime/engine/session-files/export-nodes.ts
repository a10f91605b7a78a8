/** What the explorer's filter finds, as a file for other programs. */
import { yieldToEvents } from '../../../base/clock.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { SpanMark } from '../../../storage/ports.ts';
import { nodeFile, type NodeQuestion } from '../../session/queries/node-list.ts';
import type { ExportedFile } from '../protocol/protocol.ts';
import { blobOf, fileNameOf } from '../trace-files/export-trace.ts';

/** @param title - what the file is named after. */
export async function exportNodes(
  title: string,
  tree: GistTree,
  marks: readonly SpanMark[],
  question: NodeQuestion & { readonly format: 'csv' | 'json' },
): Promise<ExportedFile> {
  const { format } = question;
  const type = format === 'csv' ? 'text/csv' : 'application/json';
  const pieces = nodeFile(tree, marks, question, format, yieldToEvents);
  return { fileName: fileNameOf(title, `nodes.${format}`), file: await blobOf(pieces, type) };
}
