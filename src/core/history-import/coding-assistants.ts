/**
 * Transcripts of coding assistants: Claude Code (`~/.claude/projects/…/SESSION.jsonl`) and Codex
 * (`~/.codex/sessions/…/rollout-*.jsonl`). Neither has a published schema; what is not known is counted, not guessed.
 */
import type { HistoryBuilder, HistoryFormat } from './history-format.ts';
import { asList, nested, property, readable, textAt, timeMsOf } from './json-access.ts';
import { addMessage, addParts, addToolCall, isMessage, roleOf } from './message-parts.ts';

/** How many of the first lines are looked at to tell a format. */
const SAMPLE_LINES = 50;

export const claudeCode: HistoryFormat = {
  id: 'claude-code',
  title: 'Claude Code session',
  recognises: ({ values, isLines }) =>
    isLines &&
    values
      .slice(0, SAMPLE_LINES)
      .some((line) => isMessage(property(line, 'message')) && textAt(line, 'sessionId') !== null),
  read: ({ values }, out) => {
    for (const line of values) {
      const type = textAt(line, 'type');
      if (type !== 'user' && type !== 'assistant') {
        out.skip(`a line of type "${type ?? 'unknown'}"`);
      } else if (property(line, 'isMeta') === true) {
        out.skip('a line that the assistant wrote for itself');
      } else {
        // Several lines can belong to one message of the model; each holds other parts of it.
        addMessage(property(line, 'message'), timeMsOf(property(line, 'timestamp')), out);
      }
    }
  },
};

const CODEX_LINES = new Set(['session_meta', 'response_item', 'event_msg', 'turn_context', 'compacted']);

export const codex: HistoryFormat = {
  id: 'codex',
  title: 'Codex session',
  recognises: ({ values, isLines }) =>
    isLines &&
    values
      .slice(0, SAMPLE_LINES)
      .some((line) => CODEX_LINES.has(textAt(line, 'type') ?? '') && property(line, 'payload') !== undefined),
  read: ({ values }, out) => {
    for (const line of values) {
      const type = textAt(line, 'type');
      // Events repeat for the screen what the items hold.
      if (type === 'response_item')
        readCodexItem(property(line, 'payload'), timeMsOf(property(line, 'timestamp')), out);
      else if (type === 'compacted') {
        const summary = textAt(line, 'payload', 'message') ?? '';
        out.add('system', summary, timeMsOf(property(line, 'timestamp')), 'compaction');
      } else out.skip(`a line of type "${type ?? 'unknown'}"`);
    }
  },
};

function readCodexItem(item: unknown, timeMs: number | null, out: HistoryBuilder): void {
  switch (textAt(item, 'type') ?? '') {
    case 'message':
      addMessage(item, timeMs, out);
      return;
    case 'function_call':
    case 'custom_tool_call':
      addToolCall(textAt(item, 'name'), property(item, 'arguments') ?? property(item, 'input'), timeMs, out);
      return;
    case 'local_shell_call':
      addToolCall('shell', nested(item, 'action', 'command'), timeMs, out);
      return;
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const output = property(item, 'output');
      const content = property(output, 'content') ?? output;
      const parts = asList(content);
      if (parts === null) out.add('document', readable(content ?? ''), timeMs, 'tool result');
      else addParts(parts, 'document', timeMs, 'tool result', out);
      return;
    }
    case 'reasoning':
      addParts(asList(property(item, 'summary')) ?? [], 'assistant', timeMs, 'reasoning', out);
      return;
    default:
      if (roleOf(property(item, 'role')) !== null) addMessage(item, timeMs, out);
      else out.skip(`an item of type "${textAt(item, 'type') ?? 'unknown'}"`);
  }
}
