import { describe, expect, it } from 'vitest';
import { IngestQueue } from './ingest-queue.ts';

const origin = (title: string) => ({ role: 'document' as const, documentId: title, title, wallClockMs: 0 });
const ids = (...values: number[]) => Uint32Array.from(values);

describe('IngestQueue', () => {
  it('gives tokens text by text, and looks ahead across texts', () => {
    const queue = new IngestQueue();
    queue.add(ids(1, 2, 3), origin('a'));
    queue.add(ids(4, 5), origin('b'));
    expect(queue.peek(4)).toEqual(ids(1, 2, 3, 4));
    expect(queue.take(2)).toEqual({ ids: ids(1, 2), origin: origin('a') });
    expect(queue.take(2)?.ids).toEqual(ids(3));
    expect(queue.take(9)).toEqual({ ids: ids(4, 5), origin: origin('b') });
    expect(queue.take(1)).toBeNull();
    expect(queue.pendingTokens).toBe(0);
    expect(queue.toPending()).toBeNull();
  });

  it('stores one text with how far it came', () => {
    const queue = new IngestQueue();
    queue.add(ids(1, 2, 3), origin('a'));
    queue.take(1);
    expect(queue.toPending()).toEqual({
      documentId: 'a',
      title: 'a',
      role: 'document',
      ids: ids(1, 2, 3),
      ingested: 1,
    });
  });

  it('stores several texts joined, so that none is lost', () => {
    const queue = new IngestQueue();
    queue.add(ids(1, 2, 3), origin('a'));
    queue.take(1);
    queue.add(ids(4), origin('b'));
    const pending = queue.toPending()!;
    expect(pending).toMatchObject({ title: 'a', ids: ids(1, 2, 3, 4), ingested: 1 });
    const again = new IngestQueue();
    again.add(pending.ids, origin('a'), pending.ingested);
    expect(again.peek(10)).toEqual(ids(2, 3, 4));
  });
});
