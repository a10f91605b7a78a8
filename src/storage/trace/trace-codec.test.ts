/** Traces go out and come back the same, whole or in chunks, plain or gzipped, new or old. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SAMPLE_HEADER as header } from '../../core/testing/sample-events.ts';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { FrameIndex } from '../../core/trace/frame-index.ts';
import { TRACE_VERSION } from '../../core/trace/telemetry.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { compressTrace, readTrace, streamTrace, writeTrace, writeTraceChunks } from './trace-codec.ts';
import type { TraceUpgrade } from './trace-codec.ts';

const decode = (step: number, text = 'é 🙂 \n \u2028'): TelemetryEvent => ({
  type: 'decode',
  head: 0,
  step,
  timeMs: step / 3,
  tokenId: 7,
  index: step,
  text,
  logProbability: -0.25,
  entropy: 2,
});
const many = Array.from({ length: 3000 }, (_, step) => decode(step));

async function collect(chunks: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

test('a trace comes back as it went out', async () => {
  expect(await readTrace(writeTrace(header, many))).toEqual({ header, events: many, notes: [] });
  expect(await readTrace(writeTrace(header, []))).toEqual({ header, events: [], notes: [] });
});

test('any text survives, wherever the bytes are cut', async () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyText, { maxLength: 8 }),
      fc.integer({ min: 1, max: 50 }),
      async (texts, step) => {
        const events = texts.map((text, index) => decode(index, text));
        const bytes = new TextEncoder().encode(writeTrace(header, events));
        let at = 0;
        const source = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            if (at >= bytes.length) controller.close();
            else controller.enqueue(bytes.subarray(at, (at += step)));
          },
        });
        expect((await readTrace(source)).events).toEqual(events);
      },
    ),
    { numRuns: 50 },
  );
});

test('the chunked writer writes the same text', async () => {
  const chunks = await collect(writeTraceChunks(header, many));
  expect(chunks.length).toBeGreaterThan(3);
  expect(chunks.join('')).toBe(writeTrace(header, many));
});

test('gzip goes out and in', async () => {
  const zipped = await compressTrace(writeTraceChunks(header, many));
  expect([...zipped.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
  expect(zipped.length).toBeLessThan(writeTrace(header, many).length / 5);
  expect((await readTrace(zipped)).events).toEqual(many);
});

test('older versions are lifted step by step', async () => {
  const from = (version: number, rename: [string, string]): TraceUpgrade => ({
    from: version,
    header: ({ [rename[0]]: value, ...rest }) => ({ ...rest, [rename[1]]: value, version: version + 1 }),
    event: (event) => ({ ...event, index: Number(event['index']) + 1 }),
  });
  // The model's name has another field in each version.
  const nameIn = (version: number) => (version === TRACE_VERSION ? 'modelId' : `name${version}`);
  const upgrades = Array.from({ length: TRACE_VERSION }, (_, version) =>
    from(version, [nameIn(version), nameIn(version + 1)]),
  );
  const { modelId, ...rest } = header;
  const old = [{ ...rest, version: 0, [nameIn(0)]: modelId }, decode(5)]
    .map((line) => JSON.stringify(line))
    .join('\n');
  const reading = await readTrace(old, { upgrades });
  expect(reading.header).toEqual(header);
  expect(reading.events).toEqual([{ ...decode(5), index: 5 + TRACE_VERSION }]);
  await expect(readTrace(old)).rejects.toMatchObject({ code: 'unsupported-version', line: 1 });
});

test.each([1, 2, 3])(
  'version %i, which had fewer parameters, is read with their defaults',
  async (version) => {
    const { recordAttention, tauStep, tradeMargin, kvMode, lensVariant, ...config } = DEFAULT_RUN_CONFIG;
    const session = {
      type: 'session',
      step: 0,
      timeMs: 0,
      sessionId: 's',
      title: 'Walk',
      modelId: 'tiny',
      modelHash: 'abc',
      backend: 'cpu',
    };
    const { head, index, ...token } = { ...decode(0), head: 0, index: 0 };
    const decoded = { ...token, position: index };
    const old = [{ ...header, version, config }, { ...session, config: { ...config, seed: 9 } }, decoded];
    const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
    expect(reading.header).toEqual(header);
    const added = { recordAttention, tauStep, tradeMargin, kvMode, lensVariant };
    expect(reading.events[0]).toEqual({ ...session, config: { ...config, ...added, seed: 9 } });
    expect(reading.events[1]).toEqual({ ...decode(0), head });
    const damaged = JSON.stringify({ ...header, version, config: { ...config, maxActions: -1 } });
    await expect(readTrace(damaged)).rejects.toMatchObject({ code: 'bad-header', line: 1 });
  },
);

test('version 6, whose windows were opened by score and budget alone, is read with that', async () => {
  const { openNeighbours, openBlocks, ...config } = DEFAULT_RUN_CONFIG;
  expect([openNeighbours, openBlocks]).toEqual([0, 0]);
  const old = [{ ...header, version: 6, config }, decode(0)];
  const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
  expect(reading).toEqual({ header, events: [decode(0)], notes: [] });
});

test('version 5, whose chats were written with the template alone, is read with that', async () => {
  const { systemText, stopTexts, ...config } = DEFAULT_RUN_CONFIG;
  const session = { type: 'session', step: 0, timeMs: 0, sessionId: 's', title: 'Walk', modelId: 'tiny' };
  const said = { ...session, modelHash: 'abc', backend: 'cpu' };
  const old = [{ ...header, version: 5, config }, { ...said, config }, decode(0)];
  const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
  expect([systemText, stopTexts]).toEqual(['', '']);
  expect(reading).toEqual({
    header,
    events: [{ ...said, config: DEFAULT_RUN_CONFIG }, decode(0)],
    notes: [],
  });
});

test('version 10, whose blocks asked for their neighbours as for themselves, is read with that', async () => {
  const { neighbourShare, ...config } = DEFAULT_RUN_CONFIG;
  expect(neighbourShare).not.toBe(1);
  const old = [{ ...header, version: 10, config }, decode(0)];
  const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
  expect(reading.header).toEqual({ ...header, config: { ...config, neighbourShare: 1 } });
});

test('version 9, whose answers renewed focus at every block and whose staging was scored as its heads were, is read with that', async () => {
  const { answerFocusShare, scoredTokens, stagingLens, ...config } = DEFAULT_RUN_CONFIG;
  expect(answerFocusShare).not.toBe(0);
  expect(scoredTokens).not.toBe(32);
  expect(stagingLens).toBe('own');
  const old = [{ ...header, version: 9, config }, decode(0)];
  const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
  expect(reading.header).toEqual({
    ...header,
    config: { ...config, answerFocusShare: 0, scoredTokens: 32, stagingLens },
  });
});

test('version 8, whose questions were written with the template, is read with it', async () => {
  const { promptFormat, ...config } = DEFAULT_RUN_CONFIG;
  expect(promptFormat).toBe('chat');
  const old = [{ ...header, version: 8, config }, decode(0)];
  const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
  expect(reading).toEqual({ header, events: [decode(0)], notes: [] });
});

test('version 7, whose runs had one head and no router, is read with one', async () => {
  const { heads, headCues, mutedHeads, router, merger, ...config } = DEFAULT_RUN_CONFIG;
  const old = [{ ...header, version: 7, config }, decode(0)].map((line) => JSON.stringify(line)).join('\n');
  const reading = await readTrace(old);
  expect(reading.header).toEqual(header);
  expect({ heads, headCues, mutedHeads, router, merger }).toMatchObject({ heads: 1, headCues: '' });
  expect(reading.events).toEqual([decode(0)]);
});

test('version 4, whose runs had one working context, names it head 0', async () => {
  const base = { step: 1, timeMs: 2 };
  const latency = (stage: string) => ({ ...base, type: 'latency', stage, ms: 1 });
  const violation = (check: string) => {
    return { ...base, type: 'violation', check, message: 'm', action: 'rolled-back' };
  };
  const evict = { ...base, type: 'evict', lod: 2, start: 0, end: 1024 };
  const token = { ...base, type: 'decode', tokenId: 7, text: 'a', logProbability: -1, entropy: 2 };
  const old = [
    { ...header, version: 4 },
    { ...base, type: 'gist', level: 2, firstIndex: 3, count: 1 },
    evict,
    { ...token, position: 70 },
    latency('score'),
    latency('gist'),
    violation('budget'),
    violation('gist-finite'),
    { ...base, type: 'staging', entryCount: 1, usedTokens: 1 },
  ];
  const reading = await readTrace(old.map((line) => JSON.stringify(line)).join('\n'));
  expect(reading.header).toEqual(header);
  expect(reading.events).toEqual([
    { ...base, type: 'gist', lod: 2, firstIndex: 3, count: 1 },
    { ...evict, head: 0 },
    { ...token, head: 0, index: 70 },
    { ...latency('score'), head: 0 },
    { ...latency('gist'), head: null },
    { ...violation('budget'), head: 0 },
    { ...violation('gist-finite'), head: null },
  ]);
  expect(reading.notes).toEqual(['1 events are of types that are no longer recorded; they are left out.']);
});

test('every example that is shipped is read whole', async () => {
  const folder = join(import.meta.dirname, '../../../public/examples');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.trace.jsonl.gz'));
  expect(files).toContain('four-heads.trace.jsonl.gz');
  for (const file of files) {
    const { events, notes } = await readTrace(await readFile(join(folder, file)));
    expect([file, notes]).toEqual([file, []]);
    expect(events.length).toBeGreaterThan(100);
  }
});

test('a recording in an older version is read whole and plays', async () => {
  const file = join(import.meta.dirname, '../../../tests/fixtures/traces/version-4.trace.jsonl.gz');
  const { header: read, events, notes } = await readTrace(await readFile(file));
  expect(read.version).toBe(TRACE_VERSION);
  expect(notes).toEqual([]);
  const frames = events.filter((event) => event.type === 'refocus');
  expect(frames).toHaveLength(120);
  const index = new FrameIndex();
  for (const { layout } of frames) index.append(layout);
  frames.forEach((frame, at) => {
    const layout = index.layoutAt(at);
    expect(frame.head).toBe(0);
    expect(layout).toHaveLength(frame.entryCount);
    expect(layout.at(-1)?.[2]).toBe(frame.cursor);
  });
  expect(await readTrace(writeTrace(read, events))).toEqual({ header: read, events, notes: [] });
});

/** How often event types were added to this version. */
const TRACE_MINOR = 2;

test('event types of a newer minor are left out and named; of this one they are a fault', async () => {
  const unknown = { type: 'dream', step: 0, timeMs: 0 };
  const lines = (minor: number) =>
    [{ ...header, minor }, decode(0), unknown, unknown, decode(1)]
      .map((line) => JSON.stringify(line))
      .join('\n');
  const reading = await readTrace(lines(TRACE_MINOR + 1));
  expect(reading.events).toEqual([decode(0), decode(1)]);
  expect(reading.notes).toEqual(['2 events of type "dream" come from a newer version; they are left out.']);
  await expect(readTrace(lines(TRACE_MINOR))).rejects.toMatchObject({ code: 'bad-line', line: 3 });
});

test('part by part, memory stays bounded and what stands before a fault is given out', async () => {
  const chunk = new TextEncoder().encode(`${JSON.stringify(decode(1))}\n`.repeat(500));
  const limits = { totalBytes: 2 * 1024 * 1024 };
  let pulled = 0;
  const claimsTwoGigabytes = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (pulled === 0) controller.enqueue(new TextEncoder().encode(`${JSON.stringify(header)}\n`));
      if (pulled >= 2 * 1024 ** 3) controller.close();
      else controller.enqueue(chunk);
      pulled += chunk.length;
    },
  });
  let events = 0;
  let largest = 0;
  const reading = (async () => {
    for await (const part of streamTrace(claimsTwoGigabytes, { limits })) {
      events += part.events.length;
      largest = Math.max(largest, part.events.length);
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'too-large', kept: { header: null, events: [] } });
  expect(events).toBeGreaterThan(5000);
  expect(largest).toBeLessThanOrEqual(501);
  expect(pulled).toBeLessThan(limits.totalBytes + 4 * chunk.length);
});
