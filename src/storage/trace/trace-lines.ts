/** Bytes of unknown origin to lines of text, with bounded memory. Knows gzip and UTF-8, not what a line means. */
import { concatBytes } from '../../base/bytes.ts';
import { TraceError } from './trace-error.ts';

export interface TraceLimits {
  /** Longest line. */
  readonly lineBytes: number;
  /** Most bytes read, counted after decompression. */
  readonly totalBytes: number;
}

export const TRACE_LIMITS: TraceLimits = { lineBytes: 16 * 1024 * 1024, totalBytes: 512 * 1024 * 1024 };

export interface TraceLine {
  readonly number: number;
  readonly text: string;
  /** False for a last line without a line feed: its writer may have died in it. */
  readonly terminated: boolean;
}

export type TraceSource = string | Uint8Array | ReadableStream<Uint8Array>;

const LINE_FEED = 10;
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
  const splitter = new LineSplitter(limits);
  for await (const chunk of inflateIfGzip(chunksOf(source))) {
    const { lines, fault } = splitter.push(chunk);
    yield lines;
    if (fault !== null) throw fault;
  }
  yield splitter.end();
}

class LineSplitter {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #number = 1;
  #totalBytes = 0;
  #parts: Uint8Array[] = [];
  #lineBytes = 0;

  constructor(private readonly limits: TraceLimits) {}

  /** The lines that the chunk completes, and the fault that came after them. */
  push(chunk: Uint8Array): { readonly lines: readonly TraceLine[]; readonly fault: TraceError | null } {
    const lines: TraceLine[] = [];
    try {
      let from = 0;
      for (let feed = chunk.indexOf(LINE_FEED); feed >= 0; feed = chunk.indexOf(LINE_FEED, from)) {
        this.#grow(chunk.subarray(from, feed + 1));
        lines.push({ number: this.#number, text: this.#take(), terminated: true });
        this.#number += 1;
        from = feed + 1;
      }
      this.#grow(chunk.subarray(from));
      return { lines, fault: null };
    } catch (error) {
      if (error instanceof TraceError) return { lines, fault: error };
      throw error;
    }
  }

  /** The last line, if it has no line feed. */
  end(): readonly TraceLine[] {
    if (this.#lineBytes === 0) return [];
    // It may end inside a character, which is for the reader to forgive, not an encoding fault.
    const text = new TextDecoder().decode(concatBytes(this.#parts));
    return [{ number: this.#number, text, terminated: false }];
  }

  #grow(bytes: Uint8Array): void {
    const { lineBytes, totalBytes } = this.limits;
    this.#lineBytes += bytes.length;
    this.#totalBytes += bytes.length;
    if (this.#lineBytes > lineBytes) {
      throw new TraceError(
        'line-too-long',
        this.#number,
        `Line ${this.#number} is longer than ${lineBytes} bytes.`,
      );
    }
    if (this.#totalBytes > totalBytes) {
      throw new TraceError('too-large', this.#number, `The trace is larger than ${totalBytes} bytes.`);
    }
    this.#parts.push(bytes);
  }

  #take(): string {
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : concatBytes(this.#parts);
    this.#parts = [];
    this.#lineBytes = 0;
    try {
      return this.#decoder.decode(bytes);
    } catch (cause) {
      throw new TraceError(
        'bad-encoding',
        this.#number,
        `Line ${this.#number} is not UTF-8 text.`,
        undefined,
        { cause },
      );
    }
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
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = concatBytes([head, next.value]);
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
