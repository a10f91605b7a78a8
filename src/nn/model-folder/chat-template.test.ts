import { describe, expect, it } from 'vitest';
import { boundedTemplate } from './bounded-jinja.ts';
import { chatPieces } from './chat-template.ts';

const CHATML =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const LLAMA2 =
  "{% for m in messages %}{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] + ' ' + eos_token }}{% endif %}{% endfor %}";
const ZEPHYR =
  "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}{% endfor %}";

describe('chatPieces', () => {
  it('takes ChatML apart, with its own system message once', () => {
    expect(chatPieces(CHATML, 'x', { bosToken: '<|im_start|>', eosToken: '<|im_end|>' })).toEqual({
      opening: '<|im_start|>system\nYou are helpful<|im_end|>',
      userPrefix: '\n<|im_start|>user\n',
      userSuffix: '<|im_end|>\n',
      assistantPrefix: '<|im_start|>assistant\n',
      stop: ['<|im_end|>'],
    });
  });

  it.each([
    ['Answer in one word.', '<|im_start|>system\nAnswer in one word.<|im_end|>'],
    ['$& stays $1', '<|im_start|>system\n$& stays $1<|im_end|>'],
    ['', ''],
  ])('writes the system text %j instead', (systemText, opening) => {
    const options = { bosToken: '<|im_start|>', eosToken: '<|im_end|>', systemText };
    expect(chatPieces(CHATML, 'x', options).opening).toBe(opening);
  });

  it('takes Llama 2 and Zephyr forms apart', () => {
    expect(chatPieces(LLAMA2, 'x', { bosToken: '<s>', eosToken: '</s>' })).toMatchObject({
      opening: '',
      userPrefix: '<s>[INST] ',
      stop: [' </s>', '</s>'],
    });
    expect(chatPieces(ZEPHYR, 'x', { bosToken: '<s>', eosToken: '</s>' })).toMatchObject({
      userPrefix: '\n<|user|>\n',
      userSuffix: '</s>\n',
      assistantPrefix: '<|assistant|>',
      stop: ['</s>'],
    });
  });

  it('writes a dialogue as the template does', () => {
    const { opening, userPrefix, userSuffix, assistantPrefix, stop } = chatPieces(CHATML, 'x', {
      bosToken: '',
      eosToken: '<|im_end|>',
    });
    const turn = (question: string, answer: string): string =>
      `${userPrefix}${question}${userSuffix}${assistantPrefix}${answer}${stop[0]}`;
    expect(opening + turn('Hi', 'Hello') + turn('Who?', 'Me')).toBe(
      '<|im_start|>system\nYou are helpful<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\nMe<|im_end|>',
    );
  });

  it.each([
    ['{% for i in range(10 ** 9) %}{% endfor %}', 'range() is longer than'],
    ['{% for i in range(0, 1, 0) %}{% endfor %}', 'needs whole numbers and a step'],
    ["{% for i in range(1, 'x') %}{% endfor %}", 'cannot be rendered'],
    [
      `${'{% for i in range(4000) %}'.repeat(3)}x${'{% endfor %}'.repeat(3)}`,
      /takes more than \d+ steps|makes a value of more than/,
    ],
    [
      "{% set s = namespace(t='x') %}{% for i in range(99) %}{% set s.t = s.t + s.t %}{% endfor %}",
      'makes a value',
    ],
    [
      "{% set s = namespace(t=['x']) %}{% for i in range(99) %}{% set s.t = s.t + s.t %}{% endfor %}",
      'makes a value',
    ],
    ['{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}', 'cannot be rendered'],
    [`{{ ${'('.repeat(60_000)} }}`, 'cannot be rendered'],
    [`{{ ${'['.repeat(30_000)} }}`, 'cannot be rendered'],
  ])('ends with %.60s', (source, message) => {
    expect(() => chatPieces(source, 'x', { bosToken: '', eosToken: '' })).toThrow(message);
  });

  it.each([
    "range.constructor('return globalThis.reached = true')()",
    "''.constructor.constructor('return globalThis.reached = true')()",
    'messages.__proto__',
    'messages[0].__proto__.reached',
    'namespace.constructor',
    'raise_exception.prototype',
    'globalThis',
    'self',
    'process',
    'this',
    "''.__class__.__mro__",
    'cycler',
  ])('reaches nothing with %s', (expression) => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const source = `{% set found = ${expression} %}{{ messages[0].content }}[{{ found is defined }}]{{ messages[1].content }}-{{ messages[2].content }}`;
    let rendered = 'nothing';
    try {
      // What stands between the question and the answer says whether anything was found.
      rendered = boundedTemplate(source)({
        messages: [{ content: 'a' }, { content: 'b' }, { content: 'c' }],
      });
    } catch (error) {
      expect(String(error)).toMatch(/not a function|Cannot access|Unknown|undefined/);
    }
    expect(rendered).toMatch(/^(nothing|a\[false\]b-c)$/);
    expect('reached' in globalThis).toBe(false);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it('gives a template the names that the library gives', () => {
    const render = boundedTemplate(
      "{{ range(3) | join }} {{ range(1, 9, 4) | join }} {{ range(3, 0, -1) | join }} {{ none is none }} {{ True }} {{ strftime_now('%%Y') }}",
    );
    expect(render({})).toBe('012 15 321 true true %Y');
  });

  it.each([
    ['{% if %}', 'cannot be rendered'],
    ['{{ raise_exception("roles must alternate") }}', 'cannot be rendered'],
    ["{% for m in messages %}{{ m['role'] }}{% endfor %}", 'leaves out what a message says'],
    ['x'.repeat(70_000), 'longer than'],
  ])('refuses %.30s', (source, message) => {
    expect(() => chatPieces(source, 'model.gguf', { bosToken: '', eosToken: '' })).toThrow(message);
  });

  it('names the file', () => {
    expect(() => chatPieces('{% if %}', 'model.gguf', { bosToken: '', eosToken: '' })).toThrow('model.gguf');
  });
});
