/**
 * Chat and coding-assistant logs as messages with roles and times. Start here. Content decides what a file is, never
 * its name; a format that is not known is described back, so that its user can say what it is.
 */
import { lhar, messageList, otelSpans } from './api-logs.ts';
import { claudeCode, codex } from './coding-assistants.ts';
import {
  HistoryBuilder,
  type HistoryFormat,
  type ImportedHistory,
  type LogContent,
} from './history-format.ts';
import { asList, asObject, readable } from './json-access.ts';

/** The more special first: lists of messages are the most general. */
export const HISTORY_FORMATS: readonly HistoryFormat[] = [claudeCode, codex, lhar, otelSpans, messageList];

/** What a text turned out to be. `unknown` is JSON of no known log; `text` is no JSON at all. */
export type HistoryReading =
  | { readonly kind: 'history'; readonly history: ImportedHistory }
  | { readonly kind: 'unknown'; readonly description: string }
  | { readonly kind: 'text' };

/** @param source - the whole file, as text. */
export function importHistory(source: string): HistoryReading {
  const parsed = parseLog(source);
  if (parsed === null) return { kind: 'text' };
  const format = HISTORY_FORMATS.find((candidate) => candidate.recognises(parsed.content));
  if (format === undefined) return { kind: 'unknown', description: describe(parsed.content) };
  const out = new HistoryBuilder();
  if (parsed.damagedLines > 0) out.skipped.set('a line that is not JSON', parsed.damagedLines);
  format.read(parsed.content, out);
  if (out.messages.length === 0) {
    return { kind: 'unknown', description: `a ${format.title} without a single message that holds text` };
  }
  return { kind: 'history', history: { format: format.title, messages: out.messages, skipped: out.skipped } };
}

/** JSON, or lines of it of which at least nine in ten are; blank lines do not count. */
function parseLog(source: string): { readonly content: LogContent; readonly damagedLines: number } | null {
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source;
  if (!/^\s*[[{]/.test(text)) return null;
  const whole = parseJson(text);
  if (whole !== undefined) return { content: { values: [whole], isLines: false }, damagedLines: 0 };
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const values = lines.map(parseJson).filter((value) => typeof value === 'object' && value !== null);
  const damagedLines = lines.length - values.length;
  if (values.length === 0 || damagedLines > lines.length / 10) return null;
  return { content: { values, isLines: true }, damagedLines };
}

/** undefined where it is no JSON, which is nobody's error here. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const DESCRIBED_KEYS = 12;

/** What is there, in words: the shape of the file and the names in it, never its content. */
function describe({ values, isLines }: LogContent): string {
  const [first] = values;
  const list = asList(first);
  if (isLines) return `${values.length} lines of JSON; the first has ${keysOf(first)}`;
  if (list !== null) return `a JSON list of ${list.length}; the first has ${keysOf(list[0])}`;
  return `one JSON object with ${keysOf(first)}`;
}

function keysOf(value: unknown): string {
  const object = asObject(value);
  if (object === null) return `no names (${value === null ? 'null' : typeof value})`;
  const keys = Object.keys(object);
  const shown = keys.slice(0, DESCRIBED_KEYS).map((key) => readable(key.slice(0, 40)));
  return `the names ${shown.join(', ')}${keys.length > DESCRIBED_KEYS ? ', …' : ''}`;
}
