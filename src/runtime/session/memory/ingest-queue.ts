/** Texts that wait for ingestion, as tokens, in the order they came. Knows nothing of the tree. */
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { PendingText } from '../../../storage/ports.ts';
import type { TextPart } from './history-intake.ts';
import type { WaitingDocument } from '../messages/session-messages.ts';

/** A text in the queue. `ingested` counts tokens of `ids` that are in the history already. */
interface QueuedText {
  readonly origin: Provenance;
  readonly ids: Uint32Array;
  ingested: number;
  /** Where a text has several origins: they follow one another and hold all of `ids`. */
  readonly parts: readonly TextPart[];
}

export class IngestQueue {
  private readonly texts: QueuedText[] = [];

  get pendingTokens(): number {
    return this.texts.reduce((sum, { ids, ingested }) => sum + ids.length - ingested, 0);
  }

  /**
   * @param origin - of the whole text, by which it is known while it waits.
   * @param parts - its origins in order, where there are several.
   * @param ingested - tokens of `ids` that were ingested before, when a stored queue is taken up again.
   */
  add(ids: Uint32Array, origin: Provenance, parts: readonly TextPart[] = [], ingested = 0): void {
    if (ids.length <= ingested) return;
    this.texts.push({ origin, ids, ingested, parts });
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

  /** Take at most `count` tokens of the first text, all of one origin; null when nothing waits. */
  take(count: number): { readonly ids: Uint32Array; readonly origin: Provenance } | null {
    const head = this.texts[0];
    if (head === undefined) return null;
    const { origin, end } = partAt(head);
    const ids = head.ids.subarray(head.ingested, Math.min(head.ingested + count, end));
    head.ingested += ids.length;
    if (head.ingested === head.ids.length) this.texts.shift();
    return { ids, origin };
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
    return this.texts.map(({ origin: { documentId, title, role }, ids, ingested, parts }) => {
      return { documentId, title, role, ids, ingested, ...(parts.length > 0 && { parts }) };
    });
  }

  /** Go on with what storage kept. @param wallClockMs - when it was handed in, which is not stored. */
  takeUp(pending: readonly PendingText[], wallClockMs: number): void {
    for (const { ids, ingested, parts, ...origin } of pending) {
      this.add(ids, { ...origin, wallClockMs }, parts, ingested);
    }
  }

  private indexOf(documentId: string): number {
    return this.texts.findIndex(({ origin }) => origin.documentId === documentId);
  }
}

/** The origin of the next token, and where it ends in the text. */
function partAt({ origin, ids, ingested, parts }: QueuedText): {
  readonly origin: Provenance;
  readonly end: number;
} {
  let end = 0;
  for (const part of parts) {
    end += part.tokens;
    if (ingested < end) return { origin: part.origin, end };
  }
  return { origin, end: ids.length };
}
