import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importHistory } from './import-history.ts';

const lines = (...values: unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n');

function read(source: string) {
  const reading = importHistory(source);
  if (reading.kind !== 'history') throw new Error(JSON.stringify(reading));
  const { format, messages, skipped } = reading.history;
  return {
    format,
    skipped: Object.fromEntries(skipped),
    said: messages.map(({ role, text, label }) => [role, text, ...(label === null ? [] : [label])]),
    times: messages.map(({ timeMs }) => timeMs),
  };
}

const CLAUDE_CODE = lines(
  { type: 'summary', summary: 'Fix', leafUuid: 'x' },
  {
    type: 'user',
    sessionId: 's',
    timestamp: '2026-01-15T10:14:50.233Z',
    message: { role: 'user', content: 'Fix the bug' },
  },
  {
    type: 'assistant',
    sessionId: 's',
    timestamp: '2026-01-15T10:14:52.000Z',
    message: {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Where?' },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', name: 'Read', input: { path: 'a.ts' } },
      ],
    },
  },
  {
    type: 'user',
    sessionId: 's',
    message: { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', text: 'let a' }] }] },
  },
  { type: 'user', sessionId: 's', isMeta: true, message: { role: 'user', content: 'caveat' } },
);

const CODEX = lines(
  { timestamp: '2025-10-29T00:59:38.317Z', type: 'session_meta', payload: { id: '1' } },
  {
    timestamp: '2025-10-29T00:59:38.317Z',
    type: 'response_item',
    payload: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'what is 2+2?' }] },
  },
  { timestamp: '2025-10-29T00:59:38.400Z', type: 'event_msg', payload: { type: 'user_message' } },
  {
    timestamp: '2025-10-29T00:59:39.000Z',
    type: 'response_item',
    payload: { type: 'function_call', name: 'shell', arguments: '{"command":["ls"]}' },
  },
  {
    timestamp: '2025-10-29T00:59:40.000Z',
    type: 'response_item',
    payload: { type: 'function_call_output', output: 'a b' },
  },
  {
    timestamp: '2025-10-29T00:59:41.000Z',
    type: 'response_item',
    payload: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: '4' }] },
  },
);

const call = (sequence: number, messages: unknown[], answer: unknown) => ({
  type: 'entry',
  sequence,
  timestamp: `2026-02-0${sequence}T00:00:00Z`,
  raw: { request_body: { system: 'Be brief.', messages }, response_body: answer },
});
const LHAR = lines(
  { type: 'session', trace_id: 't', started_at: '', tool: 'x', model: 'm' },
  // The archive need not be in order, and cache markers come and go.
  call(
    2,
    [
      { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'user', content: 'Bye' },
    ],
    'data: stream',
  ),
  call(1, [{ role: 'user', content: 'Hi' }], {
    role: 'assistant',
    content: [{ type: 'text', text: 'Hello' }],
  }),
);

const OTEL = JSON.stringify({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              startTimeUnixNano: '1760000000000000000',
              attributes: [
                {
                  key: 'gen_ai.system_instructions',
                  value: { stringValue: '[{"type":"text","content":"Be kind."}]' },
                },
                {
                  key: 'gen_ai.input.messages',
                  value: { stringValue: '[{"role":"user","parts":[{"type":"text","content":"Weather?"}]}]' },
                },
                {
                  key: 'gen_ai.output.messages',
                  value: {
                    stringValue:
                      '[{"role":"assistant","parts":[{"type":"tool_call","name":"weather","arguments":{"in":"Rome"}}]}]',
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  ],
});

describe('importHistory', () => {
  it('reads a Claude Code session', () => {
    expect(read(CLAUDE_CODE)).toEqual({
      format: 'Claude Code session',
      skipped: { 'a line of type "summary"': 1, 'a line that the assistant wrote for itself': 1 },
      said: [
        ['user', 'Fix the bug'],
        ['assistant', 'Where?', 'reasoning'],
        ['assistant', 'I look.'],
        ['assistant', 'Read({"path":"a.ts"})', 'call of Read'],
        ['document', 'let a', 'tool result'],
      ],
      times: [1768472090233, 1768472092000, 1768472092000, 1768472092000, null],
    });
  });

  it('reads a Codex session', () => {
    expect(read(CODEX)).toMatchObject({
      format: 'Codex session',
      skipped: { 'a line of type "session_meta"': 1, 'a line of type "event_msg"': 1 },
      said: [
        ['user', 'what is 2+2?'],
        ['assistant', 'shell({"command":["ls"]})', 'call of shell'],
        ['document', 'a b', 'tool result'],
        ['assistant', '4'],
      ],
    });
  });

  it('takes from an LHAR archive every message once, in the order of the calls', () => {
    expect(read(LHAR)).toMatchObject({
      format: 'LHAR archive',
      said: [
        ['system', 'Be brief.'],
        ['user', 'Hi'],
        ['assistant', 'Hello'],
        ['user', 'Bye'],
      ],
      skipped: { 'an answer that was recorded as a stream or not at all': 1 },
    });
  });

  it('reads OpenTelemetry GenAI spans', () => {
    expect(read(OTEL)).toMatchObject({
      format: 'OpenTelemetry GenAI spans',
      said: [
        ['system', 'Be kind.'],
        ['user', 'Weather?'],
        ['assistant', 'weather({"in":"Rome"})', 'call of weather'],
      ],
      times: [1_760_000_000_000, 1_760_000_000_000, 1_760_000_000_000],
    });
  });

  const dialogue = [
    { role: 'developer', content: 'Be short.' },
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ type: 'function', function: { name: 'look', arguments: '{}' } }],
    },
    { role: 'tool', name: 'look', content: 'a sea' },
    { role: 'assistant', content: 'A sea.' },
  ];
  const said = [
    ['system', 'Be short.'],
    ['user', 'Hi'],
    ['assistant', 'look({})', 'call of look'],
    ['document', 'a sea', 'tool look'],
    ['assistant', 'A sea.'],
  ];
  it.each([
    ['a list', JSON.stringify(dialogue)],
    ['a request', JSON.stringify({ model: 'x', messages: dialogue })],
    ['requests that grow, a line each', lines({ messages: dialogue.slice(0, 2) }, { messages: dialogue })],
    ['a message a line', lines(...dialogue)],
    ['a byte-order mark and blank lines', `\uFEFF\n${lines(...dialogue)}\n\n`],
  ])('reads messages as %s', (_, source) => {
    expect(read(source).said).toEqual(said);
  });

  it('keeps one line that repeats an earlier one word for word', () => {
    const twice = lines(dialogue[1], dialogue[4], dialogue[1]);
    expect(read(twice).said.map(([role]) => role)).toEqual(['user', 'assistant', 'user']);
  });

  it('counts damaged lines while nine in ten are whole', () => {
    const many = Array.from({ length: 20 }, () => JSON.stringify(dialogue[1])).join('\n');
    expect(read(`${many}\n{"role":`).skipped).toMatchObject({ 'a line that is not JSON': 1 });
    expect(importHistory('{"role":\n{"a":1}').kind).toBe('text');
  });

  it('describes a format that it does not know by its names, not by its content', () => {
    expect(importHistory('[{"speaker":"Ann","line":"secret"}]')).toEqual({
      kind: 'unknown',
      description: 'a JSON list of 1; the first has the names speaker, line',
    });
    expect(importHistory('{"__proto__":{"messages":[{"role":"user","content":"x"}]}}').kind).toBe('unknown');
    expect(importHistory('[]')).toMatchObject({ kind: 'unknown' });
  });

  it('leaves plain text alone', () => {
    expect(importHistory('Once upon a time.').kind).toBe('text');
    expect(importHistory('[sic] he said').kind).toBe('text');
    expect(importHistory('').kind).toBe('text');
  });

  it('never throws, whatever JSON it is given', () => {
    const source = fc.oneof(
      fc.json(),
      fc.array(fc.json()).map((values) => values.join('\n')),
      fc
        .constantFrom(CLAUDE_CODE, CODEX, LHAR, OTEL)
        .chain((text) =>
          fc
            .tuple(fc.nat(text.length), fc.nat(text.length))
            .map(([a, b]) => text.slice(0, a) + text.slice(b)),
        ),
    );
    fc.assert(
      fc.property(source, (text) => {
        expect(['history', 'unknown', 'text']).toContain(importHistory(text).kind);
      }),
      { numRuns: 10_000, seed: 5 },
    );
  });
});
