import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RECORDS_FORMAT, RECORDS_VERSION } from '../../core/question-records/record.ts';
import { TRACE_VERSION } from '../../core/trace/telemetry.ts';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { fileLines } from './files/file-lines.ts';
import { readKind } from './files/file-kind.ts';
import { Problems } from './problems.ts';
import { EVERY_QUESTION, QuestionRecords } from './question-records.ts';
import type { Recording, Recordings, RecordedQuestion } from './recordings.ts';
import { createShell } from './shell.ts';

const header = JSON.stringify({
  format: RECORDS_FORMAT,
  version: RECORDS_VERSION,
  traceVersion: TRACE_VERSION,
  createdAt: '2026-01-02T03:04:05Z',
  modelId: 'tiny',
  modelHash: 'hash',
  backend: 'wasm',
  seed: 0,
  commit: null,
  config: DEFAULT_RUN_CONFIG,
});
const history = JSON.stringify({
  kind: 'history',
  history: 'recall/a',
  tokens: 40,
  blocks: ['One. ', 'Two.'],
});
const question = (index: number, policy: string, isAnswered: boolean) =>
  JSON.stringify({
    kind: 'question',
    suite: 'recall',
    task: 'single',
    policy,
    templates: 'seen',
    historyTokens: 40,
    budgetTokens: 64,
    heads: 1,
    history: 'recall/a',
    question: index,
    asked: `Which ${index}?`,
    expected: ['red'],
    decoded: 'blue',
    isAnswered,
    isReferenceRead: true,
    isRouted: false,
    baseTokens: 10,
    ms: 1,
    gold: [[0, 4]],
    goldTexts: ['One.'],
    layout: [[0, 0, 32]],
    scores: [0.5],
    prompt: [' Which?'],
    trace: [
      { type: 'ingest', step: 0, timeMs: 0, start: 0, end: 40, role: 'document', documentId: 'history' },
    ],
  });
const lines = [
  header,
  history,
  question(0, 'lensnet', true),
  question(1, 'lensnet', false),
  question(0, 'gold', false),
];
const fileOf = (text: string) => new File([text], 'a.jsonl');
const file = fileOf(`${lines.join('\n')}\n`);

const opened: { trace: string; question: RecordedQuestion }[] = [];
const recordings = {
  state: { reading: null, recording: null as Recording | null },
  open: async (trace: File, { question: shown }: { question: RecordedQuestion }) => {
    opened.push({ trace: await trace.text(), question: shown });
    recordings.state.recording = { question: shown } as Recording;
  },
  close: () => {
    recordings.state.recording = null;
  },
};
const problems = new Problems();
const shell = createShell();
const report = vi.spyOn(problems, 'reportError');
const open = async (text = file) => {
  const records = new QuestionRecords({ recordings: recordings as unknown as Recordings, shell, problems });
  return { records, isOpen: await records.open(text) };
};

beforeEach(() => {
  opened.length = 0;
  recordings.state.recording = null;
  report.mockClear();
});

describe('QuestionRecords', () => {
  it('lists the wrong answers first of all, and what the filter leaves', async () => {
    const { records } = await open();
    expect(records.listed).toEqual([1, 2]);
    expect(shell.getState()).toMatchObject({ rightTab: 'questions', rightOpen: true });
    records.changeFilter({ policy: 'gold' });
    expect(records.listed).toEqual([2]);
    records.changeFilter(EVERY_QUESTION);
    expect(records.listed).toEqual([0, 1, 2]);
    records.close();
    expect(records.store.getState().records).toBeNull();
    expect(shell.getState().rightTab).toBe('inspector');
  });

  it('opens a question as a trace, with its text, and goes on to the neighbours that are listed', async () => {
    const { records } = await open();
    await records.choose(1);
    const [{ trace, question: shown }] = opened as [(typeof opened)[0]];
    expect(trace.split('\n').map((line) => (line ? (JSON.parse(line) as object) : null))).toMatchObject([
      { format: 'megacontext-trace', modelId: 'tiny', version: TRACE_VERSION },
      { type: 'ingest', end: 40 },
      null,
    ]);
    expect(shown).toMatchObject({ index: 1, title: 'recall/a · question 2 · lensnet' });
    expect(shown.textOf(0, 32)).toBe('One. ');
    expect(shown.textOf(32, 64)).toBe('Two. Which?');
    await records.chooseNeighbour(1);
    expect(opened.at(-1)!.question.index).toBe(2);
    await records.chooseNeighbour(1);
    expect(opened).toHaveLength(2);
    await records.chooseNeighbour(-1);
    expect(opened.at(-1)!.question.index).toBe(1);
  });

  it('names the line of a fault and keeps what stands before it; an unfinished last line is left out', async () => {
    const broken = await open(fileOf([...lines.slice(0, 4), '{"kind":"question"}', lines[4]].join('\n')));
    expect(broken.isOpen).toBe(true);
    expect(broken.records.store.getState().records!.questions).toHaveLength(2);
    expect(String(report.mock.calls[0]![1])).toContain('a.jsonl, line 5: suite');
    const cut = await open(fileOf([...lines.slice(0, 4), lines[4]!.slice(0, 80)].join('\n')));
    expect(cut.records.store.getState().records!.notes).toHaveLength(1);
    expect(report).toHaveBeenCalledTimes(1);
    expect((await open(fileOf('{"format":"other"}\n'))).isOpen).toBe(false);
  });
});

it('fileLines: says where each line stands, whatever parts the file comes in', async () => {
  const found = [];
  for await (const line of fileLines(new Blob(['a', 'é\n\nb\r', '\nlast']))) found.push(line);
  expect(found).toEqual([
    { number: 1, text: 'aé', start: 0, end: 3, isWhole: true },
    { number: 3, text: 'b\r', start: 5, end: 7, isWhole: true },
    { number: 4, text: 'last', start: 8, end: 12, isWhole: false },
  ]);
});

it('a file of records is known by its first line', async () => {
  expect(await readKind(file)).toEqual({ kind: 'records', log: null, encoding: 'utf-8', isCertain: true });
});
