/** Texts that wait for ingestion, as tokens, in the order they came. Knows nothing of the tree. */
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { PendingText } from '../../../storage/ports.ts';
import type { WaitingDocument } from '../messages/session-messages.ts';

/** A text in the queue. `ingested` counts tokens of `ids` that are in the history already. */
interface QueuedText {
  readonly origin: Provenance;
  readonly ids: Uint32Array;
  ingested: number;
}

export class IngestQueue {
  private readonly texts: QueuedText[] = [];

  get pendingTokens(): number {
    return this.texts.reduce((sum, { ids, ingested }) => sum + ids.length - ingested, 0);
  }

  /** @param ingested - tokens of `ids` that were ingested before, when a stored queue is taken up again. */
  add(ids: Uint32Array, origin: Provenance, ingested = 0): void {
    if (ids.length <= ingested) return;
    this.texts.push({ origin, ids, ingested });
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
    if (head.ingested === head.ids.length) this.texts.shift();
    return { ids, origin: head.origin };
  }

  /** What waits, in order. */
  get documents(): readonly WaitingDocument[] {
    return this.texts.map(({ origin: { documentId, title, role }, ids, ingested }) => {
      return { documentId, title, role, tokens: ids.length, ingested };
    });
  }

  /** Take back a text that waits; of one that has begun, what is not in the history yet. @returns false if none waits. */
  remove(documentId: string): boolean {
    const at = this.indexOf(documentId);
    if (at >= 0) this.texts.splice(at, 1);
    return at >= 0;
  }

  /**
   * Let a text be read before another. One that has begun stays first, so that no document is torn.
   *
   * @param before - null: after all others.
   * @returns false if one of the two does not wait.
   */
  move(documentId: string, before: string | null): boolean {
    const at = this.indexOf(documentId);
    const target = before === null ? this.texts.length : this.indexOf(before);
    if (at < 0 || target < 0) return false;
    if (documentId === before || this.texts[at]!.ingested > 0) return true;
    const [moved] = this.texts.splice(at, 1);
    const first = (this.texts[0]?.ingested ?? 0) > 0 ? 1 : 0;
    this.texts.splice(Math.max(first, target > at ? target - 1 : target), 0, moved!);
    return true;
  }

  /** The queue as storage keeps it. */
  toPending(): readonly PendingText[] {
    return this.texts.map(({ origin: { documentId, title, role }, ids, ingested }) => {
      return { documentId, title, role, ids, ingested };
    });
  }

  /** Go on with what storage kept. @param wallClockMs - when it was handed in, which is not stored. */
  takeUp(pending: readonly PendingText[], wallClockMs: number): void {
    for (const { ids, ingested, ...origin } of pending) this.add(ids, { ...origin, wallClockMs }, ingested);
  }

  private indexOf(documentId: string): number {
    return this.texts.findIndex(({ origin }) => origin.documentId === documentId);
  }
}
