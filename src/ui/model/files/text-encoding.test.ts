import { describe, expect, it } from 'vitest';
import { decodeText, detectEncoding } from './text-encoding.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
/** Windows-1252 of Latin-1 and the quotes. */
const cp1252 = (text: string) =>
  Uint8Array.from(text, (c) => ({ '“': 0x93, '”': 0x94, '’': 0x92 })[c] ?? c.charCodeAt(0));

describe('detectEncoding', () => {
  it('is certain of UTF-8, also with a mark, without accents, or with replacement characters of its own', () => {
    for (const text of ['plain', '\uFEFFmarked', 'Ωμέγα 漢字 😀', 'a \uFFFD that was written', '']) {
      expect(detectEncoding(utf8(text)), text).toEqual({ encoding: 'utf-8', isCertain: true });
    }
  });

  it('assumes Windows-1252 where few accents or quotes are no UTF-8, and loses none of them', () => {
    const quoted = cp1252('The word “harbour” isn’t here.');
    expect(detectEncoding(quoted)).toEqual({ encoding: 'windows-1252', isCertain: false });
    const text = `${'Plain words. '.repeat(5000)}café`;
    expect(detectEncoding(cp1252(text)).encoding).toBe('windows-1252');
    expect(decodeText(cp1252(text), 'windows-1252')).toBe(text);
  });

  it('keeps UTF-8 that was damaged in one place, but says so', () => {
    const bytes = utf8('Ωμέγα 漢字 Ωμέγα');
    expect(detectEncoding(bytes.subarray(0, -1))).toEqual({ encoding: 'utf-8', isCertain: false });
  });

  it('offers no other encoding for what is no text in any', () => {
    const picture = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256);
    expect(detectEncoding(picture)).toEqual({ encoding: 'utf-8', isCertain: true });
  });

  it('knows UTF-16 by its mark or by its NUL bytes', () => {
    const wide = (text: string) => new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer);
    expect(detectEncoding(wide('\uFEFFHarbour'))).toEqual({ encoding: 'utf-16le', isCertain: true });
    expect(detectEncoding(wide('Harbour café')).encoding).toBe('utf-16le');
    expect(decodeText(wide('\uFEFFHarbour'), 'utf-16le')).toBe('Harbour');
  });
});
