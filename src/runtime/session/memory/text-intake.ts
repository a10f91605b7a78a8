/** What may come in as text: validation and normalisation. Knows nothing of tokens. */

/** The longest text that is taken in one piece, in UTF-16 code units. */
export const MAX_TEXT_CHARACTERS = 8 * 1024 * 1024;

export type IntakeErrorCode = 'empty' | 'binary' | 'too-large';

/** A text that was refused, and why. Nothing of it was taken. */
export class IntakeError extends Error {
  override readonly name = 'IntakeError';
  readonly kept = 'Nothing was added to the session.';
  constructor(
    readonly code: IntakeErrorCode,
    message: string,
    readonly tryNext: string,
  ) {
    super(message);
  }
}

const SAMPLE_CHARACTERS = 65_536;
/** More than this share of control or replacement characters is no text. */
const BINARY_SHARE = 0.02;

function isSuspicious(code: number): boolean {
  if (code === 0xfffd) return true;
  if (code < 0x20) return code !== 0x09 && code !== 0x0a && code !== 0x0d && code !== 0x0c && code !== 0x1b;
  return code >= 0x7f && code < 0xa0;
}

function looksBinary(text: string): boolean {
  if (text.includes('\u0000')) return true;
  const length = Math.min(text.length, SAMPLE_CHARACTERS);
  let suspicious = 0;
  for (let i = 0; i < length; i++) if (isSuspicious(text.charCodeAt(i))) suspicious++;
  return suspicious > length * BINARY_SHARE;
}

/**
 * Check a text and normalise its line ends. Markdown, code and JSON are text like any other.
 *
 * @returns the text with CRLF and CR as LF and without a byte order mark.
 * @throws {IntakeError} `too-large` (checked first, in constant time), `binary`, or `empty`.
 */
export function acceptText(text: string): string {
  if (text.length > MAX_TEXT_CHARACTERS) {
    const millions = (characters: number) => (characters / 1_000_000).toFixed(1);
    throw new IntakeError(
      'too-large',
      `The text has ${millions(text.length)} million characters; the limit is ${millions(MAX_TEXT_CHARACTERS)} million (${MAX_TEXT_CHARACTERS}).`,
      'Split the text and add the parts one after another.',
    );
  }
  if (looksBinary(text)) {
    throw new IntakeError(
      'binary',
      'This is not text: it holds NUL bytes, or many control characters or bytes that are not UTF-8.',
      'Choose a plain text, Markdown, code or JSON file in UTF-8.',
    );
  }
  const normalised = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  if (normalised.trim().length === 0) {
    throw new IntakeError('empty', 'There is no text in it.', 'Choose a text with at least one word.');
  }
  return normalised;
}
