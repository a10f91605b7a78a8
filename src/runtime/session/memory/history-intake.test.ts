import { describe, expect, it } from 'vitest';
import { isImportedMessage } from '../../../core/tree/provenance.ts';
import { bootEngine, idle, open } from '../../testing/engine-fixture.ts';
import { encodeHistory } from './history-intake.ts';
import { IngestQueue } from './ingest-queue.ts';

const said = (role: 'user' | 'assistant', text: string, timeMs: number | null = null) => ({
  role,
  text,
  timeMs,
  label: null,
});
const messages = [
  said('user', 'Where is the lantern that was lost last night?', 1000),
  { role: 'document' as const, text: 'pier 4', timeMs: 2000, label: 'tool Read' },
  said('assistant', 'On pier four, they say.'),
];
const tokenizer = {
  encode: (text: string) => Uint32Array.from(text, (character) => character.charCodeAt(0)),
};

describe('the messages of a log', () => {
  it('become documents with their own roles, names and times', () => {
    const { ids, parts, leftOut } = encodeHistory(messages, tokenizer, {
      importId: 'import-0',
      wallClockMs: 9,
    });
    expect(String.fromCharCode(...ids)).toBe(messages.map(({ text }) => `${text}\n`).join(''));
    expect(leftOut).toBe(0);
    expect(parts.map(({ origin: { role, title, wallClockMs } }) => [role, title, wallClockMs])).toEqual([
      ['user', 'Message 1, user', 1000],
      ['document', 'Message 2, tool Read', 2000],
      ['assistant', 'Message 3, assistant', 9],
    ]);
    expect(parts.every(({ origin }) => isImportedMessage(origin.documentId))).toBe(true);
  });

  it('leave out what is no text, and refuse a log without any', () => {
    const binary = said('user', 'a\u0000b');
    const origin = { importId: 'import-0', wallClockMs: 0 };
    expect(encodeHistory([binary, messages[0]!], tokenizer, origin)).toMatchObject({ leftOut: 1 });
    expect(() => encodeHistory([binary], tokenizer, origin)).toThrow(/No message/);
  });

  it('wait as one text, and keep their origins when a stored queue is taken up', () => {
    const { ids, parts } = encodeHistory(messages, tokenizer, { importId: 'import-0', wallClockMs: 9 });
    const queue = new IngestQueue();
    queue.add(ids, { role: 'document', title: 'log', documentId: 'import-0', wallClockMs: 9 }, parts);
    expect(queue.documents).toMatchObject([{ title: 'log', tokens: ids.length }]);
    queue.take(32);
    const later = new IngestQueue();
    later.takeUp(queue.toPending(), 77);
    const taken: [string, number][] = [];
    for (let next = later.take(32); next !== null; next = later.take(32)) {
      taken.push([next.origin.title, next.origin.wallClockMs]);
    }
    expect(taken).toEqual([
      ['Message 1, user', 1000],
      ['Message 2, tool Read', 2000],
      ['Message 3, assistant', 9],
    ]);
  });

  it('are read into the history in order', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    await fixture.engine.handle({ kind: 'importHistory', title: 'log.jsonl', messages });
    await fixture.engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await idle(fixture);
    const { provenance } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(provenance.map(({ role, wallClockMs }) => [role, wallClockMs])).toEqual([
      ['user', 1000],
      ['document', 2000],
      ['assistant', 1_700_000_000_000],
    ]);
    expect(provenance.at(-1)!.end).toBe(messages.reduce((sum, { text }) => sum + text.length + 1, 0));
  });
});
