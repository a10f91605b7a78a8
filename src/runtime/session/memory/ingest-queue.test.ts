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
    expect(queue.toPending()).toEqual([]);
  });

  it('stores every text as itself, with how far it came', () => {
    const queue = new IngestQueue();
    queue.add(ids(1, 2, 3), origin('a'));
    queue.take(1);
    queue.add(ids(4), origin('b'));
    const text = { role: 'document', ingested: 0 };
    expect(queue.toPending()).toEqual([
      { ...text, documentId: 'a', title: 'a', ids: ids(1, 2, 3), ingested: 1 },
      { ...text, documentId: 'b', title: 'b', ids: ids(4) },
    ]);
    const again = new IngestQueue();
    again.takeUp(queue.toPending(), 0);
    expect(again.take(9)).toEqual({ ids: ids(2, 3), origin: origin('a') });
    expect(again.take(9)).toEqual({ ids: ids(4), origin: origin('b') });
  });

  it('lets go of a text, and of the rest of one that has begun', () => {
    const queue = new IngestQueue();
    for (const title of ['a', 'b', 'c']) queue.add(ids(1, 2), origin(title));
    queue.take(1);
    expect(queue.remove('a')).toBe(true);
    expect(queue.remove('c')).toBe(true);
    expect(queue.remove('c')).toBe(false);
    expect(queue.documents.map(({ title }) => title)).toEqual(['b']);
    expect(queue.pendingTokens).toBe(2);
  });

  it('lets texts change places, but not before one that has begun', () => {
    const queue = new IngestQueue();
    const order = () => queue.documents.map(({ title }) => title).join('');
    for (const title of ['a', 'b', 'c', 'd']) queue.add(ids(1, 2), origin(title));
    queue.move('d', 'b');
    expect(order()).toBe('adbc');
    queue.move('d', null);
    expect(order()).toBe('abcd');
    queue.take(1);
    queue.move('c', 'a');
    expect(order()).toBe('acbd');
    queue.move('a', null);
    expect(order()).toBe('acbd');
    expect(queue.move('x', null)).toBe(false);
    expect(queue.move('a', 'x')).toBe(false);
  });
});
