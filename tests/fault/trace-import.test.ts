/** Traces from strangers: torn, huge or hostile, they end in a typed error or a valid trace. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TRACE_FORMAT, TRACE_VERSION } from '../../src/core/trace/telemetry.ts';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import {
  SAMPLE_HEADER as header,
  sampleAction,
  sampleRefocus,
} from '../../src/core/testing/sample-events.ts';
import { readTrace, writeTrace } from '../../src/storage/trace/trace-codec.ts';
import { TraceError } from '../../src/storage/trace/trace-error.ts';
import { decodeEvent } from './storage-fixture.ts';

const events: TelemetryEvent[] = [
  { type: 'ingest', step: 0, timeMs: 0, start: 0, end: 32, role: 'user', documentId: 'd' },
  decodeEvent(1),
  sampleRefocus({ timeMs: 2, scores: [0.5], actions: [sampleAction()] }),
  decodeEvent(2),
];
const text = writeTrace(header, events);
const lines = text.trimEnd().split('\n');

const failure = (source: Parameters<typeof readTrace>[0], options?: Parameters<typeof readTrace>[1]) =>
  readTrace(source, options).then(
    () => expect.unreachable('was read'),
    (error: unknown) => error as TraceError,
  );

describe('fault 19: a torn last line, an endless line and __proto__', () => {
  test('cut anywhere in the last line: the rest is read, with a note', async () => {
    const lastStart = text.lastIndexOf('\n', text.length - 2) + 1;
    for (let end = lastStart + 1; end < text.length - 1; end += 1) {
      const reading = await readTrace(text.slice(0, end));
      expect(reading.events).toEqual(events.slice(0, 3));
      expect(reading.notes).toEqual(['Line 5 was not finished when its writer stopped; it is left out.']);
    }
    const torn = new TextEncoder().encode(text.slice(0, lastStart) + '{"text":"é').slice(0, -1);
    expect((await readTrace(torn)).notes).toHaveLength(1);
    expect((await readTrace(text.slice(0, -1))).events).toEqual(events);
  });

  test('a line or a file over its cap stops at the cap', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1000;
        controller.enqueue(new Uint8Array(1000).fill(120));
      },
    });
    expect(await failure(endless, { limits: { lineBytes: 50_000 } })).toMatchObject({
      code: 'line-too-long',
      line: 1,
    });
    expect(pulled).toBeLessThan(60_000);
    const long = `${text}${'x'.repeat(5000)}\n`;
    expect(await failure(long, { limits: { lineBytes: 4000 } })).toMatchObject({
      code: 'line-too-long',
      line: 6,
      kept: { events },
    });
    expect(await failure(text.repeat(100), { limits: { totalBytes: 1000 } })).toMatchObject({
      code: 'too-large',
    });
  });

  test('__proto__ and friends change no prototype and reach no event', async () => {
    const sneaky = lines.map((line) =>
      line.replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},'),
    );
    const reading = await readTrace(sneaky.join('\n'));
    expect(reading).toEqual({ header, events, notes: [] });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    for (const event of reading.events) {
      expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
      expect(Object.hasOwn(event, '__proto__')).toBe(false);
      expect('polluted' in event).toBe(false);
    }
    const inConfig = lines[0]!.replace('"config":{', '"config":{"__proto__":{"polluted":1},');
    await readTrace(inConfig).catch((error: unknown) => {
      expect(error).toBeInstanceOf(TraceError);
    });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

test('blank lines anywhere change nothing', async () => {
  const blank = ['', lines[0]!, '  ', ...lines.slice(1), '', '', ''].join('\r\n');
  expect(await readTrace(blank)).toEqual({ header, events, notes: [] });
  expect(await readTrace(`${lines.join('\n')}\n \t`)).toEqual({ header, events, notes: [] });
});

test('a broken line in the middle is an error that names it and keeps what came before', async () => {
  const broken = [...lines.slice(0, 3), '{"type":', ...lines.slice(3)].join('\n');
  const error = await failure(broken);
  expect(error).toBeInstanceOf(TraceError);
  expect(error).toMatchObject({ code: 'bad-line', line: 4, kept: { header, events: events.slice(0, 2) } });
});

test.each([
  { source: '', code: 'empty', what: 'nothing' },
  { source: 'hello', code: 'not-a-trace', what: 'text' },
  { source: '[1]\n', code: 'not-a-trace', what: 'another JSON' },
  { source: '{"format":"other","version":1}\n', code: 'not-a-trace', what: 'another format' },
  { source: `{"format":"${TRACE_FORMAT}"}\n`, code: 'bad-header', what: 'no version' },
  {
    source: `{"format":"${TRACE_FORMAT}","version":${TRACE_VERSION + 1}}\n`,
    code: 'future-version',
    what: 'a future version',
  },
  {
    source: `{"format":"${TRACE_FORMAT}","version":0}\n`,
    code: 'unsupported-version',
    what: 'an unknown old version',
  },
  {
    source: `{"format":"${TRACE_FORMAT}","version":1}\n`,
    code: 'bad-header',
    what: 'a header without fields',
  },
  { source: lines[0]!.slice(0, 40), code: 'not-a-trace', what: 'a torn header' },
  { source: `${lines[0]!}\n{"type":"decode","step":1e999}\n`, code: 'bad-line', what: 'an infinite number' },
  {
    source: `${lines[0]!}\n{"type":"dream","step":0,"timeMs":0}\n`,
    code: 'bad-line',
    what: 'an unknown event',
  },
])('refused: $what', async ({ source, code }) => {
  expect(await failure(source)).toMatchObject({ name: 'TraceError', code });
});

test('fault 20: a gzip bomb stops at the cap', async () => {
  const bomb = gzipSync(Buffer.concat([Buffer.from(text), Buffer.alloc(256 * 1024 * 1024, '\n')]));
  expect(bomb.length).toBeLessThan(1024 * 1024);
  const bombOfOneLine = gzipSync(Buffer.concat([Buffer.from(text), Buffer.alloc(64 * 1024 * 1024, 'x')]));
  const before = process.memoryUsage().arrayBuffers;
  const error = await failure(new Uint8Array(bombOfOneLine), { limits: { lineBytes: 1024 * 1024 } });
  expect(error).toMatchObject({ code: 'line-too-long', line: 6, kept: { events } });
  expect(await failure(new Uint8Array(bomb), { limits: { totalBytes: 4 * 1024 * 1024 } })).toMatchObject({
    name: 'TraceError',
    code: 'too-large',
    kept: { events },
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
});

test('gzip that is cut off or damaged is named, with what could be read', async () => {
  const many = Array.from({ length: 3000 }, (_, step) => ({
    ...decodeEvent(step),
    timeMs: Math.sin(step) * 1e6,
  }));
  const zipped = new Uint8Array(gzipSync(writeTrace(header, many)));
  const cut = await failure(zipped.slice(0, zipped.length >> 1));
  expect(cut.code).toBe('damaged-gzip');
  expect(cut.kept.events.length).toBeGreaterThan(100);
  expect(cut.kept.events).toEqual(many.slice(0, cut.kept.events.length));
  const flipped = zipped.slice();
  flipped[flipped.length - 5]! ^= 1;
  expect((await failure(flipped)).code).toBe('damaged-gzip');
});

test('bytes that are no text', async () => {
  const bytes = new TextEncoder().encode(text);
  bytes[text.indexOf('"ingest"') + 2] = 0xff;
  expect(await failure(bytes)).toMatchObject({ code: 'bad-encoding', line: 2, kept: { header } });
});
