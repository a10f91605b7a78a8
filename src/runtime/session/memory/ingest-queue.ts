/** Texts that wait for ingestion, as tokens, in the order they came. Knows nothing of the tree. */
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { PendingText } from '../../../storage/ports.ts';

/** A text in the queue. `ingested` counts tokens of `ids` that are in the history already. */
interface QueuedText {
  readonly origin: Provenance;
  readonly ids: Uint32Array;
  ingested: number;
}

export class IngestQueue {
  private readonly texts: QueuedText[] = [];
  /** What storage holds of the queue; made anew when a text comes or goes, so that its ids are stored once. */
  private stored: PendingText | null = null;

  get pendingTokens(): number {
    return this.texts.reduce((sum, { ids, ingested }) => sum + ids.length - ingested, 0);
  }

  /** @param ingested - tokens of `ids` that were ingested before, when a stored queue is taken up again. */
  add(ids: Uint32Array, origin: Provenance, ingested = 0): void {
    if (ids.length <= ingested) return;
    this.texts.push({ origin, ids, ingested });
    this.stored = null;
  }

  /** The next tokens without taking them, at most `count`, across texts. */
  peek(count: number): Uint32Array {
    const coming = new Uint32Array(Math.min(count, this.pendingTokens));
    let filled = 0;
    for (const { ids, ingested } of this.texts) {
      if (filled === coming.length) break;
      const run = ids.subarray(ingested, ingested + coming.length - filled);
      coming.set(run, filled);
      filled += run.length;
    }
    return coming;
  }

  /** Take at most `count` tokens of the first text; null when nothing waits. */
  take(count: number): { readonly ids: Uint32Array; readonly origin: Provenance } | null {
    const head = this.texts[0];
    if (head === undefined) return null;
    const ids = head.ids.subarray(head.ingested, head.ingested + count);
    head.ingested += ids.length;
    if (head.ingested === head.ids.length) {
      this.texts.shift();
      this.stored = null;
    }
    return { ids, origin: head.origin };
  }

  /**
   * The queue as storage keeps it: one text. Texts behind the first are joined to it, so a reload continues all
   * of them, but under the first one's title.
   */
  toPending(): PendingText | null {
    const head = this.texts[0];
    if (head === undefined) return null;
    const { documentId, title, role } = head.origin;
    if (this.stored === null) {
      const rest = this.texts.slice(1);
      const ids =
        rest.length === 0
          ? head.ids
          : joined([head.ids, ...rest.map((text) => text.ids.subarray(text.ingested))]);
      this.stored = { documentId, title, role, ids, ingested: head.ingested };
    }
    return { ...this.stored, ingested: head.ingested };
  }
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
