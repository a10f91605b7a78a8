/** The documents that the researcher hid from focus; the tree holds their tokens as hidden. The trace keeps them. */
import { HiddenSpans } from '../../../core/tree/hidden-spans.ts';
import { type ProvenanceRun, isOfDocument } from '../../../core/tree/provenance.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';

/** Those that are hidden when all this has happened. */
export function hiddenAfter(events: readonly TelemetryEvent[]): ReadonlySet<string> {
  const hidden = new Set<string>();
  for (const event of events) {
    if (event.type !== 'hide') continue;
    if (event.hidden) hidden.add(event.documentId);
    else hidden.delete(event.documentId);
  }
  return hidden;
}

export class HiddenDocuments {
  private readonly ids: Set<string>;

  /** @param hidden - by an earlier run. */
  constructor(
    private readonly tree: GistTree,
    hidden: Iterable<string>,
  ) {
    this.ids = new Set(hidden);
    this.mark();
  }

  get list(): readonly string[] {
    return [...this.ids];
  }

  /** Hide a document, or show it again. */
  set(documentId: string, isHidden: boolean): void {
    if (isHidden) this.ids.add(documentId);
    else this.ids.delete(documentId);
    this.mark();
  }

  /** Tokens of this origin came in: if their document is hidden, they are, too. */
  extend(origin: { readonly documentId: string }): void {
    if (this.list.some((id) => isOfDocument(origin, id))) this.mark();
  }

  /** The runs of tokens that a document has in the history. */
  runsOf(documentId: string): readonly ProvenanceRun[] {
    return this.tree.provenance.filter((run) => isOfDocument(run, documentId));
  }

  private mark(): void {
    this.tree.hidden = new HiddenSpans(this.list.flatMap((id) => this.runsOf(id)));
  }
}
