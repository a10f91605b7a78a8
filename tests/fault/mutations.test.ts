/**
 * Every importer against random damage: it reads, or it throws its own error, which says where; in bounded time and
 * memory, and without a trace in anything shared.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { importHistory } from '../../src/core/history-import/import-history.ts';
import { SAMPLE_HEADER, sampleAction, sampleRefocus } from '../../src/core/testing/sample-events.ts';
import { PARAMETERS } from '../../src/core/parameters/parameters.ts';
import { telemetryEventSchema, traceHeaderSchema } from '../../src/core/trace/telemetry.ts';
import { ROLES } from '../../src/core/tree/provenance.ts';
import { chatPieces } from '../../src/nn/model-folder/chat-template.ts';
import { WeightError } from '../../src/nn/model-folder/errors.ts';
import { describeGguf } from '../../src/nn/model-folder/gguf/gguf-description.ts';
import { GgufFile } from '../../src/nn/model-folder/gguf/gguf-file.ts';
import { parseJson } from '../../src/nn/model-folder/json-file.ts';
import { encodeSafetensors } from '../../src/nn/model-folder/safetensors-writer.ts';
import { SafetensorsFile } from '../../src/nn/model-folder/safetensors.ts';
import type { TensorFile } from '../../src/nn/model-folder/tensor-file.ts';
import { createTokenizer } from '../../src/nn/model-folder/tokenizer.ts';
import { CaseFileError, parseCases } from '../../src/runtime/evaluation/cases/case-file.ts';
import { EngineError } from '../../src/runtime/session/messages/errors.ts';
import { bootEngine, idle } from '../../src/runtime/testing/engine-fixture.ts';
import { CtxError } from '../../src/storage/ctx/ctx-error.ts';
import { readArchive } from '../../src/storage/ctx/read-archive.ts';
import { StorageError } from '../../src/storage/ports.ts';
import { readTrace, writeTrace } from '../../src/storage/trace/trace-codec.ts';
import { TraceError } from '../../src/storage/trace/trace-error.ts';
import { decodeLink, encodeLink } from '../../src/ui/features/share/link-state.ts';
import { archiveOf, partsOf, saveSession } from './archive-fixture.ts';
import { MUTATIONS, mutatedBytes, mutatedJson, mutatedText } from './mutations.ts';
import { decodeEvent } from './storage-fixture.ts';

const ROOT = join(import.meta.dirname, '../..');
const bytesOf = (path: string) => new Uint8Array(readFileSync(join(ROOT, path)));
const encode = (text: string) => new TextEncoder().encode(text);

/** Of one file, in a process that other work may slow down: counted in its own processor time. */
const SLOWEST_READING_MS = 5000;
const MOST_MEMORY_BYTES = 1024 * 2 ** 20;

type Fault = abstract new (...parameters: never[]) => Error;

/** Read a file `MUTATIONS` times. @returns how many were read, and how many refused. */
async function batter<T>(
  files: fc.Arbitrary<T>,
  read: (file: T) => unknown,
  ...faults: readonly Fault[]
): Promise<{ readonly read: number; readonly refused: number }> {
  const counts = { read: 0, refused: 0 };
  const shared = Object.getOwnPropertyNames(Object.prototype).length;
  await fc.assert(
    fc.asyncProperty(files, async (file) => {
      const before = process.cpuUsage();
      try {
        await read(file);
        counts.read++;
      } catch (error) {
        if (!faults.some((fault) => error instanceof fault)) throw error;
        expect(saysWhere(error)).toBe(true);
        counts.refused++;
      }
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1000).toBeLessThan(SLOWEST_READING_MS);
      expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(shared);
      expect('reached' in Object.prototype || 'reached' in globalThis).toBe(false);
    }),
    { numRuns: MUTATIONS, seed: 21, endOnFailure: true },
  );
  expect(process.memoryUsage().rss).toBeLessThan(MOST_MEMORY_BYTES);
  return counts;
}

/** A file with what is wrong in it, or a line. */
function saysWhere(error: unknown): boolean {
  if (error instanceof EngineError || error instanceof StorageError) return error.message.length > 20;
  const { file, line } = error as { readonly file?: string; readonly line?: number };
  return (file ?? '') !== '' || line !== undefined;
}

const TIMEOUT_MS = 60_000 + 120 * MUTATIONS;

describe('fault 21: 10,000 random mutations of every importer', { timeout: TIMEOUT_MS }, () => {
  const readAll = (file: TensorFile): void => {
    for (const name of file.names) file.floats(name, file.shape(name));
  };

  describe('safetensors', () => {
    const sound = new Uint8Array(
      encodeSafetensors(
        {
          a: { shape: [2, 3], values: new Float32Array(6).fill(0.5) },
          b: { shape: [4], values: new Float32Array(4) },
        },
        'F32',
        'x',
      ),
    );
    const headerBytes = Number(new DataView(sound.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(sound.subarray(8, 8 + headerBytes))) as unknown;
    const withHeader = (json: string): Uint8Array<ArrayBuffer> => {
      const head = encode(json);
      const bytes = Uint8Array.from([...new Uint8Array(8), ...head, ...sound.subarray(8 + headerBytes)]);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
      return bytes;
    };

    it.each([
      ['bytes', mutatedBytes(sound)],
      ['headers', mutatedJson(header).map(withHeader)],
    ])('%s', async (_, files) => {
      const counts = await batter(
        files,
        (bytes) => {
          readAll(SafetensorsFile.parse(bytes.buffer, 'x'));
        },
        WeightError,
      );
      expect(counts.refused).toBeGreaterThan(0);
    });
  });

  it('GGUF', async () => {
    const files = mutatedBytes(bytesOf('tests/fixtures/gguf/blocks.gguf'));
    const counts = await batter(
      files,
      (bytes) => {
        const file = GgufFile.parse(bytes.buffer, 'x.gguf');
        const { tokenizer, tokenizerConfig } = describeGguf(file);
        createTokenizer(tokenizer, tokenizerConfig, 'x.gguf').encode('One 22 three');
        readAll(file);
      },
      WeightError,
    );
    expect(counts.read).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(0);
  });

  describe('tokenizer.json', () => {
    const whole = JSON.parse(readFileSync(join(ROOT, 'models/tiny/tokenizer.json'), 'utf8')) as {
      readonly model: { readonly vocab: Record<string, number>; readonly merges: readonly unknown[] };
    };
    const vocab = Object.fromEntries(Object.entries(whole.model.vocab).filter(([, id]) => id < 320));
    const merges = whole.model.merges.slice(0, 50);
    const small = { ...whole, model: { ...whole.model, vocab, merges } };
    const read = (text: string): void => {
      const json = parseJson(encode(text).buffer, 'tokenizer.json');
      const tokenizer = createTokenizer(json, { add_prefix_space: false }, 'tokenizer.json');
      tokenizer.decode(tokenizer.encode(`A text 12 <|end|> \n${'a'.repeat(60)}!`));
      tokenizer.encodeTemplate('<|x|>', 'text', '\n');
    };
    const { model, ...rest } = small;

    it.each([
      ['bytes', mutatedText(JSON.stringify(small))],
      // Most nodes of the whole are vocabulary: what stands around it is tried by itself.
      [
        'its settings',
        mutatedJson(rest).map((json) => `${json.slice(0, -1)},"model":${JSON.stringify(model)}}`),
      ],
    ])('%s', async (_, files) => {
      await batter(files, read, WeightError);
    });
  });

  it('chat templates', async () => {
    const templates = [
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
      '{% set ns = namespace(n=0) %}{% macro say(m) %}{{ m.role | upper }}: {{ m.content | trim }}{% endmacro %}{% for i in range(messages | length) %}{% set ns.n = ns.n + 1 %}{{ say(messages[i]) }}{{ eos_token }}\n{% endfor %}',
    ];
    const options = { bosToken: '<s>', eosToken: '</s>' };
    await batter(mutatedText(...templates), (source) => chatPieces(source, 'x', options), WeightError);
  });

  describe('session files', () => {
    let archives: fc.Arbitrary<Blob>;

    beforeAll(async () => {
      const saved = await saveSession();
      const parts = await partsOf(saved);
      const whole = mutatedBytes(new Uint8Array(await saved.arrayBuffer())).map((bytes) => new Blob([bytes]));
      // Each part by itself in an archive whose sums fit, so that more than the zip is tried.
      const changed = fc.constantFrom(...parts).chain(([name, bytes]) => {
        const files = mutatedBytes(bytes).map((changedBytes) => ({ name, bytes: changedBytes }));
        if (!name.endsWith('.json')) return files;
        const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
        return fc.oneof(
          files,
          mutatedJson(json).map((text) => ({ name, bytes: encode(text) })),
        );
      });
      archives = fc.oneof(
        whole,
        changed.map(({ name, bytes }) => new LazyArchive(new Map(parts).set(name, bytes))),
      );
    });

    /** Zipped when it is read: a generator must not wait. */
    class LazyArchive extends Blob {
      constructor(readonly parts: ReadonlyMap<string, Uint8Array>) {
        super();
      }
    }
    const zipped = (archive: Blob) => (archive instanceof LazyArchive ? archiveOf(archive.parts) : archive);

    it('.ctx', async () => {
      const counts = await batter(archives, async (archive) => readArchive(await zipped(archive)), CtxError);
      expect(counts.read).toBeGreaterThan(0);
      expect(counts.refused).toBeGreaterThan(0);
    });

    it('sessions that are opened, and go on', async () => {
      const fixture = await bootEngine();
      const { engine, store } = fixture;
      const counts = await batter(
        archives,
        async (archive) => {
          fixture.notices.length = 0;
          try {
            const { state } = await engine.handle({ kind: 'importSession', file: await zipped(archive) });
            await idle(fixture);
            await engine.handle({ kind: 'step' });
            await engine.handle({ kind: 'removeSession', sessionId: state.record.id });
          } finally {
            for (const { id } of await store.list()) {
              await engine.handle({ kind: 'removeSession', sessionId: id });
            }
          }
        },
        EngineError,
        StorageError,
      );
      expect(counts.read).toBeGreaterThan(0);
    });
  });

  it('traces', async () => {
    const events = [
      { type: 'ingest', step: 0, timeMs: 0, start: 0, end: 32, role: 'user', documentId: 'd' } as const,
      decodeEvent(1),
      sampleRefocus({ timeMs: 2, scores: [0.5], actions: [sampleAction()] }),
      decodeEvent(2),
    ];
    const text = writeTrace(SAMPLE_HEADER, events);
    const lines = text.trimEnd().split('\n');
    const oneLine = fc
      .nat(lines.length - 1)
      .chain((at) =>
        mutatedJson(JSON.parse(lines[at]!)).map((line) => encode(lines.with(at, line).join('\n'))),
      );
    const files = fc.oneof(mutatedBytes(encode(text), new Uint8Array(gzipSync(text))), oneLine);
    const counts = await batter(
      files,
      async (bytes) => {
        try {
          const reading = await readTrace(bytes);
          traceHeaderSchema.parse(reading.header);
          for (const event of reading.events) telemetryEventSchema.parse(event);
        } catch (error) {
          if (error instanceof TraceError)
            for (const event of error.kept.events) telemetryEventSchema.parse(event);
          throw error;
        }
      },
      TraceError,
    );
    expect(counts.read).toBeGreaterThan(MUTATIONS / 100);
    expect(counts.refused).toBeGreaterThan(MUTATIONS / 4);
  });

  it('logs of chats and coding assistants', async () => {
    const say = (role: string, content: unknown) => ({ role, content });
    const logs = [
      [say('user', 'Hi'), say('assistant', [{ type: 'text', text: 'Hello' }])],
      { messages: [say('system', 'Be brief.'), say('user', 'Hi')], model: 'm' },
      {
        type: 'user',
        sessionId: 's',
        timestamp: '2026-01-15T10:14:50.233Z',
        message: say('user', 'Fix the bug'),
      },
      {
        timestamp: '2025-10-29T00:59:38.317Z',
        type: 'response_item',
        payload: { type: 'message', ...say('user', [{ type: 'input_text', text: '2+2?' }]) },
      },
      {
        type: 'entry',
        sequence: 1,
        timestamp: '2026-02-01T00:00:00Z',
        raw: {
          request_body: { system: 'Be brief.', messages: [say('user', 'Hi')] },
          response_body: say('assistant', 'Hello'),
        },
      },
      {
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: [
                  {
                    startTimeUnixNano: '1760000000000000000',
                    attributes: [
                      {
                        key: 'gen_ai.input.messages',
                        value: {
                          stringValue: '[{"role":"user","parts":[{"type":"text","content":"Weather?"}]}]',
                        },
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    ];
    const files = fc.oneof(
      mutatedText(...logs.map((log) => JSON.stringify(log))),
      fc.constantFrom(...logs).chain((log) => mutatedJson(log)),
      fc
        .constantFrom(...logs)
        .chain((log) => mutatedJson(log).map((line) => `${line}\n${JSON.stringify(log)}\n`)),
    );
    const counts = await batter(files, (text) => {
      const reading = importHistory(text);
      if (reading.kind !== 'history') return;
      for (const { role, text: said } of reading.history.messages) {
        expect(ROLES).toContain(role);
        expect(said).toBeTypeOf('string');
      }
    });
    expect(counts.refused).toBe(0);
  });

  it('links', async () => {
    const tracks = { order: ['budget', 'heat'], hidden: [], pinned: [] };
    const parameters = PARAMETERS.map(({ id }) => id);
    const link = encodeLink({
      step: 7,
      tokens: [0, 64],
      block: { lod: 1, start: 32, end: 64 },
      parameters: { budgetTokens: 1024, policy: 'lensnet' },
    });
    const counts = await batter(mutatedText(link, link.replaceAll('&', '&p.__proto__=1&')), (text) => {
      const reading = decodeLink(text, tracks);
      if (reading === null) return;
      expect(decodeLink(encodeLink(reading.state), tracks)).toEqual({ state: reading.state, problems: [] });
      for (const id of Object.keys(reading.state.parameters ?? {})) expect(parameters).toContain(id);
      for (const { value } of reading.problems) expect(value.length).toBeLessThanOrEqual(40);
    });
    expect(counts.refused).toBe(0);
  });

  it('cases', async () => {
    const sound = {
      history: 'The lantern is amber.',
      question: 'What colour?',
      answer: 'amber',
      gold: [[15, 20]],
    };
    const line = JSON.stringify(sound);
    const files = fc.oneof(
      mutatedText(`${line}\n${line}\n`),
      mutatedJson(sound).map((json) => `${line}\n${json}`),
    );
    const counts = await batter(files, (text) => parseCases(text, 'own.jsonl'), CaseFileError);
    expect(counts.read).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(0);
  });
});
