/** What the page gets to see of a trace file: its parts, and words for what is wrong with it. */
import { describe, expect, it } from 'vitest';
import { readTrace } from '../../../storage/trace/trace-codec.ts';
import type { FromTraceWorker, ToTraceWorker } from '../protocol/traces.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../protocol/protocol.ts';
import { bootEngine, ingest, open, prose } from '../../testing/engine-fixture.ts';
import { answerTraceJob } from './read-trace-file.ts';

async function saved(format: ExportFormat): Promise<{ fileName: string; file: Blob; frames: number }> {
  const fixture = await bootEngine();
  await open(fixture);
  await ingest(fixture, prose(600));
  const exported = await fixture.engine.handle({ kind: 'exportTrace', format });
  const frames = fixture.events().filter(({ type }) => type === 'refocus').length;
  return { ...exported, frames };
}

async function answers(
  job: ToTraceWorker,
  options: Parameters<typeof answerTraceJob>[2] = {},
): Promise<FromTraceWorker[]> {
  const messages: FromTraceWorker[] = [];
  await answerTraceJob(job, (message) => messages.push(message), options);
  return messages;
}

const framesIn = (messages: readonly FromTraceWorker[]) =>
  messages
    .flatMap((message) => (message.type === 'part' ? message.events : []))
    .filter(({ type }) => type === 'refocus').length;

describe('the trace worker', () => {
  it.each(['trace', 'trace-gzip'] as const)('gives out a %s part by part and ends', async (format) => {
    const { file, frames } = await saved(format);
    const messages = await answers({ kind: 'read', file });
    expect(framesIn(messages)).toBe(frames);
    expect(messages.at(-1)).toEqual({ type: 'end', notes: [] });
    const parts = messages.filter((message) => message.type === 'part');
    expect(parts.at(-1)!.readBytes).toBe(file.size);
  });

  it('turns a trace file into every format that the engine offers', async () => {
    const { file, frames } = await saved('trace');
    for (const format of EXPORT_FORMATS) {
      const [last] = await answers({ kind: 'convert', file, title: 'Kept run!', format });
      if (last?.type !== 'file') expect.unreachable(JSON.stringify(last));
      expect(last.fileName).toMatch(/^kept-run-(trace|metrics|perfetto)\.(jsonl|jsonl\.gz|csv|json)$/);
      const { file: converted } = last;
      if (format === 'csv') expect((await converted.text()).trimEnd().split('\r\n')).toHaveLength(frames + 1);
      else if (format === 'chrome-trace') {
        const { traceEvents } = JSON.parse(await converted.text()) as { traceEvents: { name: string }[] };
        expect(traceEvents.filter(({ name }) => name === 'budget use')).toHaveLength(frames);
      } else {
        const [a, b] = await Promise.all([readTrace(converted.stream()), readTrace(file.stream())]);
        expect(a.events.length).toBe(b.events.length);
        expect(a.header).toEqual(b.header);
      }
    }
  });

  it('shows what stands before a fault and says where it is and what to do', async () => {
    const { file, frames } = await saved('trace');
    const lines = (await file.text()).trimEnd().split('\n');
    const cut = lines.findLastIndex((line) => line.includes('"type":"refocus"'));
    const broken = new Blob([[...lines.slice(0, cut), '{"type":"refocus"}', ...lines.slice(cut)].join('\n')]);
    const messages = await answers({ kind: 'read', file: broken });
    expect(framesIn(messages)).toBe(frames - 1);
    expect(messages.at(-1)).toMatchObject({
      type: 'failed',
      error: {
        name: 'TraceError',
        code: 'bad-line',
        kept: expect.stringContaining(`${frames - 1} refocus`) as string,
      },
    });
    const [converted] = await answers({ kind: 'convert', file: broken, title: 'Test', format: 'trace' });
    if (converted?.type !== 'file') expect.unreachable('not converted');
    expect((await readTrace(await converted.file.text())).events.length).toBe(cut - 1);
  });

  it.each([
    { content: 'hello', code: 'not-a-trace' },
    { content: '', code: 'empty' },
    { content: '{"format":"megacontext-trace","version":99}\n', code: 'future-version' },
  ])('refuses $code with words of its own', async ({ content, code }) => {
    const [failed] = await answers({ kind: 'read', file: new Blob([content]) });
    expect(failed).toMatchObject({
      type: 'failed',
      error: { code, kept: expect.stringContaining('nothing of the file') as string },
    });
    if (failed?.type === 'failed') expect(failed.error.tryNext).not.toBe('');
  });

  it('stops at its cap in a file that claims to be huge', async () => {
    const { file } = await saved('trace');
    const header = (await file.text()).split('\n', 1)[0]!;
    const line = `${JSON.stringify({ type: 'gist', step: 1, timeMs: 1, lod: 1, firstIndex: 0, count: 1 })}\n`;
    const huge = new Blob([`${header}\n`, ...Array.from({ length: 2000 }, () => line.repeat(50))]);
    const messages = await answers({ kind: 'read', file: huge }, { limits: { totalBytes: 1_000_000 } });
    expect(messages.at(-1)).toMatchObject({ type: 'failed', error: { code: 'too-large' } });
    expect(messages.length).toBeGreaterThan(2);
    const read = messages.flatMap((message) => (message.type === 'part' ? [message.readBytes] : []));
    expect(Math.max(...read)).toBeLessThan(huge.size / 2);
  });
});
