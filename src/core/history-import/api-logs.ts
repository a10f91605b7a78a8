/**
 * Logs of calls to language models: lists of messages as the chat interfaces take them, spans of OpenTelemetry's
 * GenAI conventions, and LHAR archives. A call repeats its whole past: only what is new in it is taken.
 */
import { HistoryBuilder, type HistoryFormat, type LogContent } from './history-format.ts';
import { asList, asObject, nested, property, textAt, timeMsOf } from './json-access.ts';
import { addMessage, isMessage } from './message-parts.ts';

export const messageList: HistoryFormat = {
  id: 'messages',
  title: 'list of chat messages',
  recognises: (content) => messageLists(content).length > 0,
  read: (content, out) => {
    const taken = new Conversation(out);
    for (const { messages, timeMs, isAlone } of messageLists(content)) {
      if (isAlone) taken.append(messages[0], timeMs);
      else taken.add(messages, timeMs);
    }
  },
};

interface MessageList {
  readonly messages: readonly unknown[];
  readonly timeMs: number | null;
  /** One message of many, not a call that repeats what came before. */
  readonly isAlone: boolean;
}

/** `[message…]`, `{messages: […]}` (one, or one a line), or a message a line. */
function messageLists({ values, isLines }: LogContent): readonly MessageList[] {
  const lists: MessageList[] = [];
  for (const value of values) {
    const messages = asList(value) ?? asList(property(value, 'messages'));
    if (messages?.some(isMessage) === true) lists.push({ messages, timeMs: timeOf(value), isAlone: false });
  }
  if (lists.length > 0 || !isLines || !values.some(isMessage)) return lists;
  return values.map((message) => ({ messages: [message], timeMs: timeOf(message), isAlone: true }));
}

function timeOf(value: unknown): number | null {
  const keys = ['timestamp', 'created_at', 'createdAt', 'created', 'time'];
  return keys.map((key) => timeMsOf(property(value, key))).find((time) => time !== null) ?? null;
}

/** Takes call after call, and of each only the messages behind what it shares with what was taken. */
class Conversation {
  /** What each message said; markers for caches and the like change between calls and do not count. */
  private known: readonly string[] = [];

  constructor(private readonly out: HistoryBuilder) {}

  /** @param messages - all that the call sent. */
  add(messages: readonly unknown[], timeMs: number | null): void {
    const read = messages.map((message) => readMessage(message, timeOf(message) ?? timeMs));
    const said = read.map(sayingOf);
    let shared = 0;
    while (shared < said.length && said[shared] === this.known[shared]) shared++;
    if (shared < this.known.length && this.known.length > 0)
      this.out.skip('a call that begins or goes on elsewhere');
    for (const message of read.slice(shared)) this.out.take(message);
    this.known = said;
  }

  /** One message that stands alone, behind all that came before. */
  append(message: unknown, timeMs: number | null): void {
    const read = readMessage(message, timeMs);
    this.out.take(read);
    this.known = [...this.known, sayingOf(read)];
  }
}

function readMessage(message: unknown, timeMs: number | null): HistoryBuilder {
  const read = new HistoryBuilder();
  addMessage(message, timeMs, read);
  return read;
}

function sayingOf({ messages }: HistoryBuilder): string {
  return messages.map(({ role, text }) => `${role}\u0000${text}`).join('\u0001');
}

export const otelSpans: HistoryFormat = {
  id: 'otel-genai',
  title: 'OpenTelemetry GenAI spans',
  recognises: ({ values }) => spansOf(values).some((span) => spanMessages(span).length > 0),
  read: ({ values }, out) => {
    const spans = spansOf(values)
      .map((span) => ({ span, timeMs: startOf(span) }))
      .sort((a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0));
    const taken = new Conversation(out);
    let instructions = '';
    for (const { span, timeMs } of spans) {
      const attributes = attributesOf(span);
      const system = partsText(attributes.get('gen_ai.system_instructions'));
      if (system !== '' && system !== instructions) out.add('system', (instructions = system), timeMs);
      const messages = spanMessages(span);
      if (messages.length > 0) taken.add(messages, timeMs);
      else out.skip('a span without messages');
    }
  },
};

/** OTLP's nesting, a list of spans, or a span a line. */
function spansOf(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value) => {
    const resources = asList(property(value, 'resourceSpans'));
    if (resources === null) return asList(value) ?? asList(property(value, 'spans')) ?? [value];
    return resources.flatMap((resource) =>
      (asList(property(resource, 'scopeSpans')) ?? []).flatMap(
        (scope) => asList(property(scope, 'spans')) ?? [],
      ),
    );
  });
}

function startOf(span: unknown): number | null {
  const keys = ['startTimeUnixNano', 'start_time_unix_nano', 'startTime', 'start_time'];
  return keys.map((key) => timeMsOf(property(span, key))).find((time) => time !== null) ?? null;
}

/** As a map, from OTLP's list of key and value or from a plain object; values that are JSON texts are parsed. */
function attributesOf(span: unknown): ReadonlyMap<string, unknown> {
  const attributes = property(span, 'attributes');
  const pairs: readonly (readonly [string, unknown])[] =
    asList(attributes)?.map((pair) => [textAt(pair, 'key') ?? '', otlpValue(property(pair, 'value'))]) ??
    Object.entries(asObject(attributes) ?? {});
  return new Map(pairs.map(([key, value]) => [key, parsedJson(value)]));
}

function otlpValue(value: unknown): unknown {
  const kinds = ['stringValue', 'intValue', 'doubleValue', 'boolValue'];
  const plain = kinds.map((kind) => property(value, kind)).find((found) => found !== undefined);
  if (plain !== undefined) return plain;
  const list = asList(nested(value, 'arrayValue', 'values'));
  if (list !== null) return list.map(otlpValue);
  const pairs = asList(nested(value, 'kvlistValue', 'values'));
  if (pairs === null) return value;
  return Object.fromEntries(
    pairs.map((pair) => [textAt(pair, 'key') ?? '', otlpValue(property(pair, 'value'))]),
  );
}

function parsedJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    // It only looked like JSON: the text itself is the value.
    return value;
  }
}

function spanMessages(span: unknown): readonly unknown[] {
  const attributes = attributesOf(span);
  const lists = [attributes.get('gen_ai.input.messages'), attributes.get('gen_ai.output.messages')];
  return lists.flatMap((list) => asList(list) ?? []).filter(isMessage);
}

function partsText(value: unknown): string {
  if (typeof value === 'string') return value;
  return (asList(value) ?? [])
    .map((part) => textAt(part, 'content') ?? textAt(part, 'text') ?? '')
    .join('\n');
}

export const lhar: HistoryFormat = {
  id: 'lhar',
  title: 'LHAR archive',
  recognises: ({ values }) => lharEntries(values).length > 0,
  read: ({ values }, out) => {
    const taken = new Conversation(out);
    let instructions = '';
    const entries = [...lharEntries(values)].sort((a, b) => sequenceOf(a) - sequenceOf(b));
    for (const entry of entries) {
      const timeMs = timeMsOf(property(entry, 'timestamp'));
      const request = nested(entry, 'raw', 'request_body');
      const messages = asList(property(request, 'messages')) ?? asList(property(request, 'input'));
      if (messages === null) {
        out.skip('a call whose body was not recorded');
        continue;
      }
      const system = property(request, 'system') ?? property(request, 'instructions');
      const text = typeof system === 'string' ? system : partsText(system);
      if (text !== '' && text !== instructions) out.add('system', (instructions = text), timeMs);
      taken.add(messages.filter(isMessage), timeMs);
      addAnswer(nested(entry, 'raw', 'response_body'), timeMs, taken, out);
    }
  },
};

function lharEntries(values: readonly unknown[]): readonly unknown[] {
  const wrapped = values.flatMap((value) => asList(nested(value, 'lhar', 'entries')) ?? []);
  return [...wrapped, ...values].filter(
    (value) => property(value, 'type') === 'entry' && nested(value, 'raw') !== undefined,
  );
}

function sequenceOf(entry: unknown): number {
  const sequence = property(entry, 'sequence');
  return typeof sequence === 'number' ? sequence : 0;
}

/** The answer of Anthropic's or OpenAI's interface; a recorded stream is left to the next call, which repeats it. */
function addAnswer(body: unknown, timeMs: number | null, taken: Conversation, out: HistoryBuilder): void {
  const choices = asList(property(body, 'choices'));
  const message = choices === null ? body : property(choices[0], 'message');
  const output = asList(property(body, 'output'))?.flatMap((item) => asList(property(item, 'content')) ?? []);
  if (isMessage(message)) taken.append(message, timeMs);
  else if (output !== undefined) taken.append({ role: 'assistant', content: output }, timeMs);
  else out.skip('an answer that was recorded as a stream or not at all');
}
