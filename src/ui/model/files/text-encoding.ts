/** Which characters the bytes of a text stand for: found where the bytes tell, else assumed and said so. Pure. */

/** Labels of the Encoding Standard, with what people call them. */
export const TEXT_ENCODINGS = {
  'utf-8': 'UTF-8',
  'windows-1252': 'Western (Windows-1252, Latin-1)',
  'iso-8859-15': 'Western (ISO 8859-15)',
  'windows-1250': 'Central European (Windows-1250)',
  'windows-1251': 'Cyrillic (Windows-1251)',
  'koi8-r': 'Cyrillic (KOI8-R)',
  'windows-1253': 'Greek (Windows-1253)',
  'windows-1254': 'Turkish (Windows-1254)',
  shift_jis: 'Japanese (Shift JIS)',
  'euc-jp': 'Japanese (EUC-JP)',
  gb18030: 'Chinese (GB 18030)',
  big5: 'Chinese (Big5)',
  'euc-kr': 'Korean (EUC-KR)',
  'utf-16le': 'UTF-16, little-endian',
  'utf-16be': 'UTF-16, big-endian',
} as const;
export type TextEncoding = keyof typeof TEXT_ENCODINGS;

export interface DetectedEncoding {
  readonly encoding: TextEncoding;
  /** False where the bytes would be a text in other encodings, too. */
  readonly isCertain: boolean;
}

const REPLACEMENT = /\uFFFD/g;
const BEYOND_ASCII = /[^\0-\x7F\uFFFD]/gu;
/** A text with this many whole characters beyond ASCII for each broken one is UTF-8 that was damaged. */
const WHOLE_FOR_BROKEN = 4;
const SAMPLE_BYTES = 65_536;

/**
 * UTF-8 is nearly never met by chance, and UTF-16 shows by its mark or its NUL bytes. Of the encodings of one byte a
 * character every text is a text in all: the most common, Windows-1252, which holds Latin-1, is assumed.
 */
export function detectEncoding(bytes: Uint8Array): DetectedEncoding {
  const utf16 = detectUtf16(bytes);
  if (utf16 !== null) return utf16;
  // No text has NUL bytes in any other encoding: whoever takes it in will say that it is none.
  if (bytes.includes(0)) return { encoding: 'utf-8', isCertain: true };
  const text = decodeText(bytes, 'utf-8');
  const broken = text.match(REPLACEMENT)?.length ?? 0;
  if (broken === 0 || isValidUtf8(bytes)) return { encoding: 'utf-8', isCertain: true };
  const whole = text.match(BEYOND_ASCII)?.length ?? 0;
  return { encoding: whole >= broken * WHOLE_FOR_BROKEN ? 'utf-8' : 'windows-1252', isCertain: false };
}

/** Bytes that stand for nothing become U+FFFD. A byte-order mark is left out. */
export function decodeText(bytes: Uint8Array, encoding: TextEncoding): string {
  return new TextDecoder(encoding).decode(bytes);
}

/** A text may hold U+FFFD of its own. */
function isValidUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function detectUtf16(bytes: Uint8Array): DetectedEncoding | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', isCertain: true };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', isCertain: true };
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const nulls = [0, 0];
  for (let at = 0; at < sample.length; at++) if (sample[at] === 0) nulls[at % 2]!++;
  const [even, odd] = nulls as [number, number];
  // Half of the bytes of Latin text are NUL, all on one side; files that are no text have them on both.
  const isOneSided = Math.max(even, odd) > sample.length / 4 && Math.min(even, odd) < sample.length / 100;
  return isOneSided ? { encoding: even > odd ? 'utf-16be' : 'utf-16le', isCertain: false } : null;
}
