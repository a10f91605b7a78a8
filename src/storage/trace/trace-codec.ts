/** Traces as JSON Lines: first line the header, then one event a line. Writes them, reads what strangers wrote. */
import { IN_WORDS } from '../../base/schema-words.ts';
import {
  telemetryEventSchema,
  traceHeaderSchema,
  TRACE_FORMAT,
  TRACE_VERSION,
} from '../../core/trace/telemetry.ts';
import type { TelemetryEvent, TraceHeader } from '../../core/trace/telemetry.ts';
import { withNewerParameters } from '../versions/config-upgrade.ts';
import { isDroppedType, withHeads } from '../versions/event-upgrade.ts';
import type { JsonObject } from '../versions/event-upgrade.ts';
import { TraceError } from './trace-error.ts';
import type { TraceErrorCode } from './trace-error.ts';
import { readLines, TRACE_LIMITS } from './trace-lines.ts';
import type { TraceLimits, TraceLine, TraceSource } from './trace-lines.ts';

/** Event types may be added within a version; the header's `minor` says how many times that happened. */
const TRACE_MINOR = 2;

const KNOWN_TYPES: ReadonlySet<string> = new Set(
  telemetryEventSchema.options.map(({ shape }) => shape.type.value),
);

/** Lifts a header and its events from version `from` to the next. Gets unvalidated objects. */
export interface TraceUpgrade {
  readonly from: number;
  header(header: JsonObject): JsonObject;
  /** Null for an event that has no successor. */
  event(event: JsonObject): JsonObject | null;
}

/** One upgrade for every version before the current one; version 1 is the first. */
const TRACE_UPGRADES: readonly TraceUpgrade[] = [
  ...[1, 2, 3].map(parametersAdded),
  {
    from: 4,
    header: (header) => ({ ...header, version: 5, config: withNewerParameters(header['config']) }),
    event: (event) => (isDroppedType(event) ? null : withHeads(withParameters(event))),
  },
  ...[5, 6, 7, 8, 9, 10].map(parametersAdded),
];

/** The next version had more parameters, and nothing else that an older one would misread. */
function parametersAdded(from: number): TraceUpgrade {
  return {
    from,
    header: (header) => ({ ...header, version: from + 1, config: withNewerParameters(header['config']) }),
    event: withParameters,
  };
}

function withParameters(event: JsonObject): JsonObject {
  return event['type'] === 'session' ? { ...event, config: withNewerParameters(event['config']) } : event;
}

export interface ReadTraceOptions {
  readonly limits?: Partial<TraceLimits>;
  readonly upgrades?: readonly TraceUpgrade[];
}

export interface TraceReading {
  readonly header: TraceHeader;
  readonly events: readonly TelemetryEvent[];
  /** What was left out or repaired, in words; empty when all is well. */
  readonly notes: readonly string[];
}

/** The whole trace as one text. Numbers must be finite, as the event schema demands. */
export function writeTrace(header: TraceHeader, events: readonly TelemetryEvent[]): string {
  const lines = [JSON.stringify(header)];
  for (const event of events) lines.push(JSON.stringify(event));
  return `${lines.join('\n')}\n`;
}

/** The same text in chunks of whole lines, for traces that need not be in memory at once. */
export async function* writeTraceChunks(
  header: TraceHeader,
  events: Iterable<TelemetryEvent> | AsyncIterable<TelemetryEvent>,
): AsyncGenerator<string> {
  let chunk = `${JSON.stringify(header)}\n`;
  for await (const event of events) {
    chunk += `${JSON.stringify(event)}\n`;
    if (chunk.length >= 64 * 1024) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk !== '') yield chunk;
}

/** gzip the chunks of a trace. */
export async function compressTrace(chunks: Iterable<string> | AsyncIterable<string>): Promise<Uint8Array> {
  const { readable, writable } = new CompressionStream('gzip');
  const compressed = new Response(readable).arrayBuffer();
  // Awaited below, after the writing that it depends on; a failure there must not be reported twice.
  compressed.catch(() => undefined);
  const writer = writable.getWriter();
  try {
    const encoder = new TextEncoder();
    for await (const chunk of chunks) await writer.write(encoder.encode(chunk));
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
  return new Uint8Array(await compressed);
}

/** Some events of a trace, in order; the first part may have none yet. */
export interface TracePart {
  readonly header: TraceHeader;
  readonly events: readonly TelemetryEvent[];
}

/**
 * Read a trace, gzipped or not, of this version or an older one. A last line that its writer did not finish is
 * left out with a note; any other fault ends the reading.
 *
 * @throws {TraceError} with the line and, in `kept`, the header and events before it.
 */
export async function readTrace(source: TraceSource, options: ReadTraceOptions = {}): Promise<TraceReading> {
  let header: TraceHeader | null = null;
  const events: TelemetryEvent[] = [];
  try {
    const parts = streamTrace(source, options);
    for (;;) {
      const next = await parts.next();
      if (next.done) return { ...next.value, events };
      header = next.value.header;
      for (const event of next.value.events) events.push(event);
    }
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new TraceError(error.code, error.line, error.message, { header, events }, { cause: error.cause });
  }
}

/**
 * The same, part by part, for traces that need not be in memory at once. What stands before a fault is given
 * out before it is thrown.
 *
 * @returns header and notes, once the file has ended.
 * @throws {TraceError} whose `kept` is empty: the parts hold what was read.
 */
export async function* streamTrace(
  source: TraceSource,
  options: ReadTraceOptions = {},
): AsyncGenerator<TracePart, Omit<TraceReading, 'events'>> {
  const reader = new TraceReader(options.upgrades ?? TRACE_UPGRADES);
  try {
    for await (const lines of readLines(source, { ...TRACE_LIMITS, ...options.limits })) {
      try {
        for (const line of lines) reader.accept(line);
      } finally {
        const part = reader.take();
        if (part !== null) yield part;
      }
    }
    return reader.finish();
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    const line = error.line || reader.lastLine + 1;
    throw new TraceError(error.code, line, error.message, undefined, { cause: error.cause });
  }
}

class TraceReader {
  lastLine = 0;
  #header: TraceHeader | null = null;
  #chain: readonly TraceUpgrade[] = [];
  #minor = TRACE_MINOR;
  #events: TelemetryEvent[] = [];
  #dropped = 0;
  readonly #notes: string[] = [];
  readonly #unknownTypes = new Map<string, number>();

  constructor(private readonly upgrades: readonly TraceUpgrade[]) {}

  accept({ number, text, terminated }: TraceLine): void {
    // Editors and shells leave blank lines.
    if (text.trim() === '') return;
    const isHeader = this.#header === null;
    const value = parse(text);
    if (value === null && !terminated && !isHeader) {
      this.#notes.push(`Line ${number} was not finished when its writer stopped; it is left out.`);
      return;
    }
    if (value === null) {
      if (isHeader) throw new TraceError('not-a-trace', number, 'The first line is not a trace header.');
      throw new TraceError('bad-line', number, `Line ${number} is not a JSON object.`);
    }
    if (isHeader) this.#acceptHeader(value, number);
    else this.#acceptEvent(value, number);
    this.lastLine = number;
  }

  /** What was accepted since the last call; null before the header. */
  take(): TracePart | null {
    const events = this.#events;
    this.#events = [];
    return this.#header === null ? null : { header: this.#header, events };
  }

  finish(): Omit<TraceReading, 'events'> {
    if (this.#header === null) throw new TraceError('empty', 1, 'The file is empty.');
    for (const [type, count] of this.#unknownTypes) {
      this.#notes.push(`${count} events of type "${type}" come from a newer version; they are left out.`);
    }
    if (this.#dropped > 0) {
      this.#notes.push(
        `${this.#dropped} events are of types that are no longer recorded; they are left out.`,
      );
    }
    return { header: this.#header, notes: this.#notes };
  }

  #acceptHeader(raw: JsonObject, line: number): void {
    if (raw['format'] !== TRACE_FORMAT) {
      throw new TraceError('not-a-trace', line, `The first line does not name the format "${TRACE_FORMAT}".`);
    }
    this.#chain = chainFrom(raw['version'], this.upgrades, line);
    const minor = raw['minor'] ?? 0;
    if (typeof minor !== 'number' || !Number.isSafeInteger(minor) || minor < 0) {
      throw new TraceError('bad-header', line, 'The header\'s "minor" is not a count.');
    }
    this.#minor = minor;
    const upgraded = upgrade(raw, this.#chain, 'header', 'bad-header', line);
    const parsed = traceHeaderSchema.safeParse(upgraded, IN_WORDS);
    if (!parsed.success)
      throw new TraceError('bad-header', line, `The header is wrong: ${explain(parsed.error.issues)}.`);
    this.#header = parsed.data;
  }

  #acceptEvent(raw: JsonObject, line: number): void {
    const upgraded = upgrade(raw, this.#chain, 'event', 'bad-line', line);
    if (upgraded === null) {
      this.#dropped++;
      return;
    }
    const type = upgraded['type'];
    if (this.#minor > TRACE_MINOR && typeof type === 'string' && !KNOWN_TYPES.has(type)) {
      const shown = type.slice(0, 40);
      this.#unknownTypes.set(shown, (this.#unknownTypes.get(shown) ?? 0) + 1);
      return;
    }
    const parsed = telemetryEventSchema.safeParse(upgraded, IN_WORDS);
    if (!parsed.success)
      throw new TraceError('bad-line', line, `Line ${line}: ${explain(parsed.error.issues)}.`);
    this.#events.push(parsed.data);
  }
}

/** The object that the text is, or null when it is none. */
function parse(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch {
    return null;
  }
}

/** The upgrades that lead from a version to the current one. */
function chainFrom(
  version: unknown,
  upgrades: readonly TraceUpgrade[],
  line: number,
): readonly TraceUpgrade[] {
  if (typeof version !== 'number' || !Number.isSafeInteger(version)) {
    throw new TraceError('bad-header', line, 'The header\'s "version" is not a whole number.');
  }
  if (version > TRACE_VERSION) {
    const message = `The trace has version ${version}; this page reads up to ${TRACE_VERSION}. Open it with a newer one.`;
    throw new TraceError('future-version', line, message);
  }
  const chain: TraceUpgrade[] = [];
  for (let from = version; from < TRACE_VERSION; from += 1) {
    const next = upgrades.find((candidate) => candidate.from === from);
    if (next === undefined) {
      throw new TraceError('unsupported-version', line, `Traces of version ${version} cannot be read.`);
    }
    chain.push(next);
  }
  return chain;
}

/** Old files are as untrusted as new ones: an upgrade that trips over one is the file's fault. */
function upgrade(
  raw: JsonObject,
  chain: readonly TraceUpgrade[],
  part: 'header' | 'event',
  code: TraceErrorCode,
  line: number,
): JsonObject | null {
  try {
    return chain.reduce<JsonObject | null>((value, step) => value && step[part](value), raw);
  } catch (cause) {
    throw new TraceError(code, line, `Line ${line} cannot be upgraded from its older version.`, undefined, {
      cause,
    });
  }
}

function explain(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const issue = issues[0];
  if (issue === undefined) return 'invalid';
  const where = issue.path.map(String).join('.').slice(0, 80);
  return where === '' ? issue.message.slice(0, 200) : `${where}: ${issue.message.slice(0, 200)}`;
}
