import { describe, expect, it } from 'vitest';
import { acceptText, IntakeError, MAX_TEXT_CHARACTERS } from './text-intake.ts';

function refusal(text: string): IntakeError {
  try {
    acceptText(text);
  } catch (error) {
    if (error instanceof IntakeError) return error;
    throw error;
  }
  throw new Error('The text was accepted.');
}

describe('acceptText', () => {
  it('normalises line ends and drops the byte order mark', () => {
    expect(acceptText('\uFEFFa\r\nb\rc\n')).toBe('a\nb\nc\n');
  });

  it('takes Markdown, code, JSON and any script as text', () => {
    for (const text of [
      '# Title\n\n- item',
      'function f() {\n\treturn 1;\n}',
      '{"a": [1, 2]}',
      'Ωμέγα 漢字 😀',
    ]) {
      expect(acceptText(text)).toBe(text);
    }
  });

  it('refuses an empty text and one of spaces only', () => {
    expect(refusal('').code).toBe('empty');
    expect(refusal(' \n\t\r\n').code).toBe('empty');
  });

  it('refuses NUL bytes anywhere and many broken characters', () => {
    expect(refusal(`${'text '.repeat(100_000)}\u0000`).code).toBe('binary');
    expect(refusal('\u0089PNG\u0001\u0002\uFFFD\uFFFD abc').code).toBe('binary');
  });

  it('forgives a stray control character in a long text', () => {
    expect(acceptText(`${'word '.repeat(100)}\u0007`)).toContain('word');
  });

  it('takes exactly the limit and refuses one more, at once and naming the limit', () => {
    expect(acceptText('a'.repeat(MAX_TEXT_CHARACTERS))).toHaveLength(MAX_TEXT_CHARACTERS);
    const started = performance.now();
    const error = refusal('a'.repeat(50_000_000));
    expect(performance.now() - started).toBeLessThan(1000);
    expect(error.code).toBe('too-large');
    expect(error.message).toContain(String(MAX_TEXT_CHARACTERS));
  });
});
