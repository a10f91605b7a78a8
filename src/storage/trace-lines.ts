/** Bytes of unknown origin to lines of text, with bounded memory. Knows gzip and UTF-8, not what a line means. */
import { TraceError } from './trace-error.ts';

export interface TraceLimits {
  /** Longest line, in UTF-16 units. */
  readonly lineCharacters: number;
  /** Most bytes read, counted after decompression. */
  readonly totalBytes: number;
}

export const TRACE_LIMITS: TraceLimits = { lineCharacters: 16 * 1024 * 1024, totalBytes: 512 * 1024 * 1024 };

export interface TraceLine {
  readonly number: number;
  readonly text: string;
  /** False for a last line without a line feed: its writer may have died in it. */
  readonly terminated: boolean;
}

export type TraceSource = string | Uint8Array | ReadableStream<Uint8Array>;

const READ_BYTES = 64 * 1024;
/** gzip inflates at most about a thousandfold, so one slice makes at most about 4 MiB before the limits are checked. */
const INFLATE_BYTES = 4 * 1024;

/**
 * Split a source into lines, inflating it first when it is gzip.
 *
 * @throws {TraceError} `bad-encoding`, `line-too-long`, `too-large` or `damaged-gzip`, after the lines before it.
 */
export async function* readLines(
  source: TraceSource,
  limits: TraceLimits,
): AsyncGenerator<readonly TraceLine[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 1;
  let totalBytes = 0;
  let parts: string[] = [];
  let length = 0;
  const grow = (text: string) => {
    length += text.length;
    if (length > limits.lineCharacters) {
      throw new TraceError(
        'line-too-long',
        number,
        `Line ${number} is longer than ${limits.lineCharacters} characters.`,
      );
    }
    parts.push(text);
  };
  for await (const chunk of inflateIfGzip(chunksOf(source))) {
    totalBytes += chunk.length;
    if (totalBytes > limits.totalBytes) {
      throw new TraceError('too-large', number, `The trace is larger than ${limits.totalBytes} bytes.`);
    }
    const text = decode(decoder, chunk, number);
    const lines: TraceLine[] = [];
    let from = 0;
    for (let feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', from)) {
      grow(text.slice(from, feed));
      lines.push({ number, text: parts.join(''), terminated: true });
      number += 1;
      parts = [];
      length = 0;
      from = feed + 1;
    }
    // Hand over what is whole before the rest can fail.
    yield lines;
    grow(text.slice(from));
  }
  if (!endsWhole(decoder)) parts.push('\ufffd');
  const last = parts.join('');
  if (last !== '') yield [{ number, text: last, terminated: false }];
}

function decode(decoder: TextDecoder, chunk: Uint8Array, line: number): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new TraceError(
      'bad-encoding',
      line,
      `The file is not UTF-8 text from about line ${line} on.`,
      undefined,
      { cause },
    );
  }
}

/** False when the bytes end inside a character. */
function endsWhole(decoder: TextDecoder): boolean {
  try {
    decoder.decode();
    return true;
  } catch {
    return false;
  }
}

async function* chunksOf(source: TraceSource): AsyncGenerator<Uint8Array> {
  if (typeof source === 'string') {
    const encoder = new TextEncoder();
    for (let at = 0; at < source.length;) {
      let end = Math.min(source.length, at + READ_BYTES);
      // Cutting a surrogate pair in two would encode both halves as replacement characters.
      if (end < source.length && isHighSurrogate(source.charCodeAt(end - 1))) end += 1;
      yield encoder.encode(source.slice(at, end));
      at = end;
    }
  } else if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += READ_BYTES) yield source.subarray(at, at + READ_BYTES);
  } else {
    const reader = source.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

async function* inflateIfGzip(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head = new Uint8Array(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    const joined = new Uint8Array(head.length + next.value.length);
    joined.set(head);
    joined.set(next.value, head.length);
    head = joined;
  }
  const whole = prepend(head, chunks);
  if (head[0] === 0x1f && head[1] === 0x8b) yield* inflate(whole);
  else yield* whole;
}

async function* prepend(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

async function* inflate(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip') as unknown as TransformStream<
    Uint8Array,
    Uint8Array
  >;
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const feed = async () => {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += INFLATE_BYTES)
        await writer.write(chunk.slice(at, at + INFLATE_BYTES));
    }
    await writer.close();
  };
  // Its failure reaches the reader too, which reports it; here it only must not go unhandled.
  feed().catch((error: unknown) => writer.abort(error).catch(() => undefined));
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      yield next.value;
    }
  } catch (cause) {
    throw new TraceError('damaged-gzip', 0, 'The compressed file is damaged or cut off.', undefined, {
      cause,
    });
  } finally {
    await reader.cancel().catch(() => undefined);
    await writer.abort().catch(() => undefined);
  }
}
