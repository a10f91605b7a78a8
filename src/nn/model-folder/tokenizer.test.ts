import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { WeightError } from './errors.ts';
import { createTokenizer } from './tokenizer.ts';

const ROOT = join(import.meta.dirname, '../../..');
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const FILE = readJson('models/tiny/tokenizer.json');
const CONFIG = readJson('models/tiny/tokenizer_config.json');
const tokenizer = createTokenizer(FILE, CONFIG, 'tokenizer.json');

const TEXTS = [
  'The lantern of Mara is amber.',
  '  leading and   inner  spaces\t tabs\r\nand lines\n\n\n',
  'Ünïcödé: Straße, Привет мир, 你好，世界, مرحبا, हिन्दी',
  'emoji 🙂🏽‍🚀👩‍👩‍👧 and e\u0301 combining, zero\u200bwidth, \ufeffmark',
  "I'll say 12,345.67 £8 x_y__z",
  '',
  '\n',
];

describe('round trip', () => {
  it.each(TEXTS)('%j', (text) => {
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    const stream = tokenizer.createStreamDecoder();
    let streamed = '';
    for (const id of ids) streamed += stream.push(id);
    expect(streamed + stream.flush()).toBe(text);
  });

  it('holds incomplete UTF-8 back in a stream and shows it as U+FFFD alone', () => {
    const ids = tokenizer.encode('🙂');
    expect(ids.length).toBeGreaterThan(1);
    const stream = tokenizer.createStreamDecoder();
    expect(stream.push(ids[0]!)).toBe('');
    expect(stream.flush()).toBe('\uFFFD');
    expect(tokenizer.tokenText(ids[0]!)).toBe('\uFFFD');
    expect(tokenizer.tokenText(1_000_000)).toBe('\uFFFD');
  });
});

const FIXTURE = 'tests/fixtures/tokenizer/cases.json';
it.runIf(existsSync(join(ROOT, FIXTURE)))('gives the ids of the Python tokenizer', () => {
  const cases = readJson(FIXTURE) as { text: string; ids: number[] }[];
  for (const { text, ids } of cases) expect([...tokenizer.encode(text)], text).toEqual(ids);
});

describe('long texts', () => {
  const words = [
    'harbour',
    '  two',
    '\n',
    '\n\n',
    ' \n',
    '\t\n x',
    "it's",
    ' 42',
    '...',
    '\r\n',
    ' 🙂',
    '\u2028',
  ];
  let state = 7;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const text = Array.from({ length: 40_000 }, () => words[next(words.length)]!).join('');

  it('are cut without changing an id, and fast', () => {
    const library = new HuggingFaceTokenizer(FILE as object, CONFIG as object);
    const started = performance.now();
    const ids = tokenizer.encode(text);
    const seconds = (performance.now() - started) / 1000;
    console.info(`${ids.length} tokens in ${seconds.toFixed(2)} s`);
    expect([...ids]).toEqual(library.encode(text, { add_special_tokens: false }).ids);
    expect(seconds / ids.length).toBeLessThan(2 / 25_000);
  });

  it('without a line feed are slow to nobody', () => {
    const prose = Array.from({ length: 25_000 }, () => `${words[next(2)]!} `).join('');
    const started = performance.now();
    tokenizer.encode(prose);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('control tokens', () => {
  const added = [
    { id: 0, content: '<|endoftext|>', special: true },
    { id: 40_001, content: '<|im_start|>', special: true },
    { id: 40_002, content: '<|im_start|>user', special: false },
  ];
  const chat = createTokenizer({ ...(FILE as object), added_tokens: added }, CONFIG, 'tokenizer.json');

  it.each([
    '<|endoftext|>',
    'A text about <|endoftext|> and\n<|im_start|>user comes back.',
    '<|end<|endoftext|>oftext|>',
  ])('never come of a text: %j', (text) => {
    for (const each of [tokenizer, chat]) {
      const ids = each.encode(text);
      for (const { id } of added) expect([...ids]).not.toContain(id);
      expect(each.decode(ids)).toBe(text);
      expect([...each.encodeTemplate('', text)]).toEqual([...ids]);
    }
  });

  it('come of the words of a template alone, the longer first', () => {
    const ids = [...chat.encodeTemplate('<|im_start|>user\n', 'Is it <|im_start|>?', '<|endoftext|>\n')];
    expect(ids.filter((id) => added.some((token) => token.id === id))).toEqual([40_002, 0]);
    expect(ids[0]).toBe(40_002);
    expect(chat.decode(ids)).toBe('<|im_start|>user\nIs it <|im_start|>?<|endoftext|>\n');
  });

  it('leave a plain template and its text one, as the base was trained', () => {
    const ids = tokenizer.encodeTemplate('\nQuestion: ', 'Where is Mara?', '\n');
    expect([...ids]).toEqual([...tokenizer.encode('\nQuestion: Where is Mara?\n')]);
  });
});

it('refuses what is no byte-level BPE tokenizer, naming the field', () => {
  expect(() => createTokenizer({}, {}, 't.json')).toThrow(WeightError);
  const other = { ...(FILE as object), pre_tokenizer: { type: 'Metaspace' } };
  expect(() => createTokenizer(other, CONFIG, 't.json')).toThrow('t.json: only byte-level BPE');
});

describe('patterns that a file brings', () => {
  const withPattern = (regex: string) => ({
    ...(FILE as object),
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
  });

  it.each([
    ['(a+)+$', 'repeats a group'],
    ['(?:a|aa)*!', 'repeats a group'],
    ['(a|b){1,}c', 'repeats a group'],
    ['(a)\\1', 'refers back'],
    [`a${'b'.repeat(5000)}`, 'longer than'],
  ])('are refused where they could take for ever: %.20s', (regex, what) => {
    expect(() => createTokenizer(withPattern(regex), CONFIG, 't.json')).toThrow(what);
    const replace = { type: 'Replace', pattern: { Regex: regex }, content: '' };
    const normalizer = { type: 'Sequence', normalizers: [replace] };
    expect(() => createTokenizer({ ...(FILE as object), normalizer }, CONFIG, 't.json')).toThrow(what);
  });

  it.each([
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+('s|'t)?|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s+",
    '[()+*]+|\\(+',
  ])('are taken as published: %.30s', (regex) => {
    const text = 'Two words, 12!';
    const split = createTokenizer(withPattern(regex), CONFIG, 't.json');
    expect(split.decode(split.encode(text))).toBe(text);
  });
});
