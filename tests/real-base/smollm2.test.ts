/**
 * Holds our reading of a real base to independent implementations: logits and greedy continuation to Hugging Face's
 * transformers (float32, dequantised), token ids to llama.cpp. Needs the weights of SmolLM2-135M-Instruct (Q4_1).
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BaseModel } from '../../src/nn/base-model/base-model.ts';
import { selectBackend } from '../../src/nn/backend/device.ts';
import { nodeWasmPaths } from '../../src/nn/backend/wasm-paths-node.ts';
import { createFileSource } from '../../src/nn/model-folder/file-source.ts';
import { type PublishedBase, readGgufBase } from '../../src/nn/loader/published-base.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/smollm2');
const path = process.env['MEGACONTEXT_SMOLLM2'];
if (path === undefined) {
  console.log('Skipped: set MEGACONTEXT_SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf to check a real base.');
}

function fixture<T>(file: string): T {
  return JSON.parse(gunzipSync(readFileSync(join(FIXTURES, file))).toString()) as T;
}

/** Rows of logits asked for at once: 49,152 numbers each. */
const CHUNK = 64;

function largest(logits: Float32Array, from: number, size: number): number {
  let best = 0;
  for (let i = 1; i < size; i++) if (logits[from + i]! > logits[from + best]!) best = i;
  return best;
}

describe.skipIf(path === undefined)('SmolLM2-135M-Instruct', () => {
  let published: PublishedBase;
  let base: BaseModel;

  beforeAll(async () => {
    await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
    published = await readGgufBase(createFileSource(dirname(path!)), basename(path!));
    base = await BaseModel.open(published.config, published.weights);
  }, 120_000);

  afterAll(() => {
    base.dispose();
  });

  it('says what it is', () => {
    expect(published).toMatchObject({ licence: 'apache-2.0', trainedContextTokens: 8192 });
    expect(published.chat.pieces()).toMatchObject({
      userPrefix: '\n<|im_start|>user\n',
      userSuffix: '<|im_end|>\n',
      assistantPrefix: '<|im_start|>assistant\n',
      stop: ['<|im_end|>'],
    });
  });

  it('encodes 10,000 fuzzed strings as llama.cpp does, and decodes them to what they were', () => {
    const { strings, ids } = fixture<{ strings: string[]; ids: number[][] }>('tokens.json.gz');
    const other: string[] = [];
    for (const [i, text] of strings.entries()) {
      const encoded = published.tokenizer.encode(text);
      const isSame = encoded.length === ids[i]!.length && encoded.every((id, k) => id === ids[i]![k]);
      if (!isSame || published.tokenizer.decode(encoded) !== text) other.push(text);
    }
    expect(strings).toHaveLength(10_000);
    expect(other).toEqual([]);
  });

  it(
    'agrees with transformers on 2,000 positions of prose, code and chat',
    { timeout: 300_000 },
    async () => {
      const { cases } = fixture<{
        cases: { name: string; ids: number[]; top: number[]; logit: number[] }[];
      }>('logits.json.gz');
      const size = base.vocabularySize;
      let agreed = 0;
      let total = 0;
      let worst = 0;
      for (const { ids, top, logit } of cases) {
        const session = base.createDecodeSession(ids.length);
        for (let start = 0; start < ids.length; start += CHUNK) {
          const piece = ids.slice(start, start + CHUNK);
          const positions = Float64Array.from(piece, (_, i) => start + i);
          const logits = await session.append(base.embed(piece), positions, 'all');
          for (let i = 0; i < piece.length; i++) {
            const expected = top[start + i]!;
            if (largest(logits, i * size, size) === expected) agreed++;
            worst = Math.max(worst, Math.abs(logits[i * size + expected]! - logit[start + i]!));
            total++;
          }
        }
        session.dispose();
      }
      console.log(`top-1 ${agreed} of ${total}, largest error of the top logit ${worst.toExponential(1)}`);
      expect(total).toBeGreaterThanOrEqual(2000);
      expect(agreed / total).toBeGreaterThanOrEqual(0.995);
      expect(worst).toBeLessThan(0.01);
    },
  );

  it('continues greedily with the same tokens', { timeout: 120_000 }, async () => {
    const { prompt, start, greedy } = fixture<{ prompt: string; start: number[]; greedy: number[] }>(
      'logits.json.gz',
    );
    expect([...published.tokenizer.encodeTemplate(prompt)]).toEqual(start);
    const session = base.createDecodeSession(start.length + greedy.length);
    const positions = Float64Array.from(start, (_, i) => i);
    let logits = await session.append(base.embed(start), positions, 'last');
    const decoded: number[] = [];
    for (const [i] of greedy.entries()) {
      decoded.push(largest(logits, 0, base.vocabularySize));
      logits = await session.append(base.embed(decoded.slice(-1)), Float64Array.of(start.length + i), 'last');
    }
    session.dispose();
    expect(decoded).toEqual(greedy);
  });
});
