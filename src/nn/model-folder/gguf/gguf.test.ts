import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBaseConfig } from '../../base-model/config.ts';
import { SafetensorsFile } from '../safetensors.ts';
import { createTokenizer } from '../tokenizer.ts';
import { describeGguf } from './gguf-description.ts';
import { GgufFile } from './gguf-file.ts';

const FOLDER = join(import.meta.dirname, '../../../../tests/fixtures/gguf');
const bytesOf = (file: string): ArrayBuffer => new Uint8Array(readFileSync(join(FOLDER, file))).buffer;
const golden = (): ArrayBuffer => bytesOf('blocks.gguf');
const expected = SafetensorsFile.parse(bytesOf('expected.safetensors'), 'expected.safetensors');

/** The golden file with the first occurrence of one text overwritten by another of the same length. */
function withText(from: string, to: string): ArrayBuffer {
  const bytes = new Uint8Array(golden());
  const at = Buffer.from(bytes).indexOf(from);
  bytes.set(new TextEncoder().encode(to), at);
  return bytes.buffer;
}

describe('GgufFile', () => {
  it('holds every number format that is read', () => {
    const formats = ['BF16', 'F16', 'F32', 'Q4_0', 'Q4_1', 'Q4_K', 'Q5_0', 'Q5_1', 'Q6_K', 'Q8_0'];
    expect(GgufFile.parse(golden(), 'blocks.gguf').formats).toEqual(formats);
  });

  it.each(expected.names.map((name) => [name]))('decodes %s as the reference does, rows in order', (name) => {
    const shape = expected.shape(name);
    const found = GgufFile.parse(golden(), 'blocks.gguf').floats(name, shape);
    const wanted = expected.floats(name, shape);
    let worst = 0;
    for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(found[i]! - wanted[i]!));
    expect(found.length).toBe(wanted.length);
    expect(worst).toBeLessThan(1e-6);
  });

  it('names the tensor and both shapes when another shape is asked for', () => {
    const file = GgufFile.parse(golden(), 'blocks.gguf');
    expect(() => file.floats('model.norm.weight', [255])).toThrow(/output_norm.*\[256\].*\[255\]/);
    expect(() => file.floats('lm_head.weight', [1])).toThrow(/lm_head.weight.*missing/);
  });

  it('refuses what it cannot read by name', () => {
    const parse = (bytes: ArrayBuffer) => () => GgufFile.parse(bytes, 'file.gguf');
    expect(parse(new ArrayBuffer(0))).toThrow('is not a GGUF file');
    expect(parse(withText('GGUF', 'GGML'))).toThrow('is not a GGUF file');
    const old = golden();
    new DataView(old).setUint32(4, 1, true);
    expect(parse(old)).toThrow('version 1 is not supported');
    expect(parse(withText('blk.0.ffn_up.weight', 'blk.0.ffn_xx.weight'))).toThrow(
      'no tensor of a Llama model',
    );
    expect(parse(golden().slice(0, -40))).toThrow('cut short');
  });

  it('refuses heads that the rows do not divide into', () => {
    const bytes = new Uint8Array(golden());
    const key = 'llama.attention.head_count';
    // Behind the key: its type, then its value.
    const at = Buffer.from(bytes).indexOf(key) + key.length + 4;
    new DataView(bytes.buffer).setUint32(at, 37, true);
    const file = GgufFile.parse(bytes.buffer, 'file.gguf');
    const name = 'model.layers.0.self_attn.q_proj.weight';
    expect(() => file.floats(name, file.shape(name))).toThrow('no pairs of 37 heads');
  });
});

describe('describeGguf', () => {
  const described = () => describeGguf(GgufFile.parse(golden(), 'blocks.gguf'));

  it('says in config.json what the base needs', () => {
    expect(parseBaseConfig(described().config)).toMatchObject({
      vocabularySize: 12,
      hiddenSize: 256,
      layers: 1,
      heads: 2,
      kvHeads: 1,
      headDim: 4,
      ropeTheta: 100_000,
      attentionBias: false,
      tiedHead: true,
    });
    expect(described()).toMatchObject({
      name: 'Golden blocks',
      licence: 'apache-2.0',
      trainedContextTokens: 64,
    });
    expect(described().chatTemplate).toContain("m['role']");
  });

  it('gives a tokenizer that cuts digits apart and knows the control token', () => {
    const { tokenizer, tokenizerConfig } = described();
    const made = createTokenizer(tokenizer, tokenizerConfig, 'blocks.gguf');
    // "12" is in the vocabulary, but the SmolLM pre-tokenizer cuts between digits first.
    expect([...made.encodeTemplate('ab abc12<|end|>')]).toEqual([3, 11, 6, 7, 0]);
    expect(made.decode([3, 11, 6, 7])).toBe('ab abc12');
  });

  it.each([
    ['llama.block_count', 'xlama.block_count', 'metadata "llama.block_count" is missing'],
    ['gpt2', 'bert', 'tokenizer "bert" is not supported; byte-level BPE ("gpt2") is'],
    ['smollm', 'smellm', 'pre-tokenizer "smellm" is not supported'],
  ])('refuses %s become %s by name', (from, to, message) => {
    expect(() => describeGguf(GgufFile.parse(withText(from, to), 'x.gguf'))).toThrow(message);
  });
});
