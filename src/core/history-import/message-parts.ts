/**
 * Messages of the chat interfaces: a role, and a content that is a text or a list of parts. OpenAI's, Anthropic's and
 * OpenTelemetry's parts differ in names only, so that one reader serves all of them.
 */
import type { Role } from '../tree/provenance.ts';
import type { HistoryBuilder } from './history-format.ts';
import { asList, asObject, nested, property, readable, textAt } from './json-access.ts';

const ROLE_OF: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  model: 'assistant',
  ai: 'assistant',
  tool: 'document',
  function: 'document',
};

export function roleOf(value: unknown): Role | null {
  return typeof value === 'string' && Object.hasOwn(ROLE_OF, value) ? ROLE_OF[value]! : null;
}

/** True for an object that has a known role and a content, parts or tool calls. */
export function isMessage(value: unknown): boolean {
  if (roleOf(property(value, 'role')) === null) return false;
  return ['content', 'parts', 'tool_calls'].some((key) => property(value, key) !== undefined);
}

/** Add one message; texts stay together, tool calls and their results are messages of their own. */
export function addMessage(message: unknown, timeMs: number | null, out: HistoryBuilder): void {
  const role = roleOf(property(message, 'role'));
  if (role === null) {
    out.skip(`a message by "${readable(property(message, 'role'))}"`);
    return;
  }
  const content = property(message, 'content') ?? property(message, 'parts');
  const name = textAt(message, 'name');
  const label = role === 'document' ? `tool ${name ?? 'result'}` : null;
  if (typeof content === 'string') out.add(role, content, timeMs, label);
  else addParts(asList(content) ?? [], role, timeMs, label, out);
  for (const call of asList(property(message, 'tool_calls')) ?? []) {
    addToolCall(textAt(call, 'function', 'name'), nested(call, 'function', 'arguments'), timeMs, out);
  }
}

export function addToolCall(
  name: string | null,
  input: unknown,
  timeMs: number | null,
  out: HistoryBuilder,
): void {
  out.add('assistant', `${name ?? 'tool'}(${readable(input)})`, timeMs, `call of ${name ?? 'a tool'}`);
}

export function addParts(
  parts: readonly unknown[],
  role: Role,
  timeMs: number | null,
  label: string | null,
  out: HistoryBuilder,
): void {
  let text = '';
  const flush = (): void => {
    out.add(role, text, timeMs, label);
    text = '';
  };
  for (const part of parts) {
    const spoken = spokenText(part);
    if (spoken !== null) {
      text += text === '' || text.endsWith('\n') ? spoken : `\n${spoken}`;
      continue;
    }
    flush();
    addOtherPart(part, timeMs, out);
  }
  flush();
}

const SPOKEN = new Set(['text', 'input_text', 'output_text', 'summary_text', 'refusal']);

function spokenText(part: unknown): string | null {
  if (typeof part === 'string') return part;
  const type = textAt(part, 'type');
  if (type !== null && !SPOKEN.has(type)) return null;
  return textAt(part, 'text') ?? textAt(part, 'content') ?? textAt(part, 'refusal');
}

function addOtherPart(part: unknown, timeMs: number | null, out: HistoryBuilder): void {
  switch (textAt(part, 'type') ?? '') {
    case 'tool_use':
    case 'tool_call':
      addToolCall(textAt(part, 'name'), property(part, 'input') ?? property(part, 'arguments'), timeMs, out);
      return;
    case 'tool_result':
    case 'tool_call_response': {
      const result = property(part, 'content') ?? property(part, 'response') ?? property(part, 'result');
      const parts = asList(result);
      if (parts === null) out.add('document', readable(result ?? ''), timeMs, 'tool result');
      else addParts(parts, 'document', timeMs, 'tool result', out);
      return;
    }
    case 'thinking':
    case 'reasoning':
      out.add('assistant', textAt(part, 'thinking') ?? textAt(part, 'content') ?? '', timeMs, 'reasoning');
      return;
    default:
      out.skip(
        `a part of type "${textAt(part, 'type') ?? (asObject(part) === null ? typeof part : 'unknown')}"`,
      );
  }
}
