/** Content decides what a file is, wherever it comes in, and what is not plain is asked before anything is added. */
import { expect, it } from 'vitest';
import type { SessionState } from '../../runtime/engine/protocol/protocol.ts';
import { Problems } from './problems.ts';
import { createSessionMirror } from './session.ts';
import type { ImportedMessage } from '../../core/history-import/history-format.ts';
import { FileIntake } from './file-intake.ts';

const TRACE = '\n{"format":"megacontext-trace","version":4}\n';

function scene() {
  const mirror = createSessionMirror();
  const open = (id: string) => {
    mirror.setState({ session: { record: { id } } as SessionState });
  };
  open('s');
  const opened: string[] = [];
  const added: [title: string, text: string][] = [];
  const imported: [title: string, messages: readonly ImportedMessage[]][] = [];
  const models: string[][] = [];
  const problems = new Problems();
  const files = new FileIntake({
    mirror,
    problems,
    models: { choose: (files) => Promise.resolve(void models.push(files.map(({ name }) => name))) },
    recordings: { open: (file) => Promise.resolve(void opened.push(file.name)) },
    questions: { open: (file) => Promise.resolve(opened.push(file.name) > 0) },
    actions: {
      ingest: (text, title) => Promise.resolve(added.push([title, text]) > 0),
      importHistory: (messages, title) => Promise.resolve(imported.push([title, messages]) > 0),
      run: () => Promise.resolve(),
      openFile: (file) => Promise.resolve(void opened.push(file.name)),
    },
  });
  return {
    files,
    models,
    opened,
    added,
    imported,
    open,
    problems,
    inReview: () => files.store.getState().files,
  };
}

it('opens a session file whatever its name, and asks first where texts are expected', async () => {
  const { files, opened, added, inReview } = scene();
  const head = [0x50, 0x4b, 3, 4, ...new Array<number>(26).fill(0)];
  const archive = (name: string) => new File([Uint8Array.from(head), 'metadata.json', 'rest'], name);
  await files.accept([archive('walk.zip')], 'page');
  expect(opened).toEqual(['walk.zip']);
  await files.accept([archive('other.txt')], 'documents');
  expect(inReview().map(({ kind }) => kind)).toEqual(['session']);
  await files.confirm();
  expect([opened, added]).toEqual([['walk.zip', 'other.txt'], []]);
});

it('adds plain texts that are dropped on the documents, in order', async () => {
  const { files, added, inReview } = scene();
  await files.accept([new File(['one'], 'a.txt'), new File(['a,b\n1,2'], 'b.csv')], 'documents');
  expect(added).toEqual([
    ['a.txt', 'one'],
    ['b.csv', 'a,b\n1,2'],
  ]);
  expect(inReview()).toEqual([]);
});

it('knows a log by its content, shows it first, and brings its messages with roles and times', async () => {
  const { files, added, imported, inReview } = scene();
  const at = '2026-01-15T10:14:50.000Z';
  const log = [
    { type: 'user', sessionId: 's', timestamp: at, message: { role: 'user', content: 'Fix it' } },
    { type: 'assistant', sessionId: 's', message: { role: 'assistant', content: 'Done.' } },
  ];
  await files.accept(
    [new File([log.map((line) => JSON.stringify(line)).join('\n')], 'notes.txt')],
    'documents',
  );
  expect(added).toEqual([]);
  expect(inReview()).toMatchObject([{ kind: 'history', reading: { log: { kind: 'history' } } }]);
  await files.confirm();
  expect(imported).toMatchObject([
    [
      'notes.txt',
      [
        { role: 'user', text: 'Fix it', timeMs: Date.parse(at) },
        { role: 'assistant', text: 'Done.', timeMs: null },
      ],
    ],
  ]);
});

it('describes JSON that is no log it knows, and reads it as the text that it is', async () => {
  const { files, added, imported, inReview } = scene();
  await files.accept([new File(['{"a": 1}'], 'b.json')], 'documents');
  expect(inReview()).toMatchObject([{ kind: 'text', reading: { log: { kind: 'unknown' } } }]);
  expect(JSON.stringify(inReview()[0]!.reading.log)).toContain('the names a');
  await files.confirm();
  expect(added).toEqual([['b.json', '{"a": 1}']]);
  expect(imported).toEqual([]);
});

it.each(['run.json', 'run.txt', 'run.trace.jsonl'])('opens a trace named %s', async (name) => {
  const { files, opened, added } = scene();
  await files.accept([new File([TRACE], name)], 'page');
  expect(opened).toEqual([name]);
  expect(added).toEqual([]);
});

it('shows what a trace on the documents was taken for, and reads it as whatever the user says', async () => {
  const { files, opened, added, inReview } = scene();
  await files.accept([new File([TRACE], 'a.jsonl'), new File([TRACE], 'b.jsonl')], 'documents');
  expect(added).toEqual([]);
  expect(inReview()).toMatchObject([{ kind: 'trace' }, { kind: 'trace' }]);
  await files.change(inReview()[1]!.id, { kind: 'text' });
  await files.confirm();
  expect(opened).toEqual(['a.jsonl']);
  expect(added).toEqual([['b.jsonl', TRACE]]);
});

it('asks before it adds a text that is dropped elsewhere, and leaves it out', async () => {
  const { files, added, inReview } = scene();
  await files.accept([new File(['one'], 'a.txt'), new File(['two'], 'b.txt')], 'page');
  expect(added).toEqual([]);
  files.dismiss(inReview()[0]!.id);
  await files.confirm();
  expect(added).toEqual([['b.txt', 'two']]);
});

it('says which encoding is assumed, and takes another', async () => {
  const { files, added, inReview } = scene();
  await files.accept([new File([Uint8Array.of(0xcf, 0xf0, 0xe8)], 'letter.txt')], 'documents');
  expect(inReview()).toMatchObject([{ encoding: 'windows-1252', preview: 'Ïðè' }]);
  await files.change(inReview()[0]!.id, { encoding: 'windows-1251' });
  expect(inReview()[0]!.preview).toBe('При');
  await files.confirm();
  expect(added).toEqual([['letter.txt', 'При']]);
});

it('adds files to the session that they were dropped on, or to none', async () => {
  const { files, added, open, problems } = scene();
  await files.accept([new File(['one'], 'a.txt')], 'page');
  open('other');
  await files.confirm();
  expect(added).toEqual([]);
  expect(problems.store.getState().problems).toMatchObject([{ title: 'a.txt was not added' }]);
});

it('names every file that it refuses', async () => {
  const { files, problems } = scene();
  const large = new Uint8Array(17 * 1024 * 1024).fill(65);
  await files.accept([new File([large], 'a.txt'), new File([large], 'b.txt')], 'documents');
  expect(problems.store.getState().problems.map(({ title }) => title)).toEqual([
    'a.txt is too large',
    'b.txt is too large',
  ]);
});

it.each(['documents', 'page'] as const)(
  'looks at a model that is dropped on the %s, whatever its name',
  async (place) => {
    const { files, models, added, opened, inReview } = scene();
    await files.accept([new File(['GGUF\u0003\0\0\0 and more of it'], 'notes.txt')], place);
    const header = new Uint8Array(32);
    header.set([16, 0, 0, 0, 0, 0, 0, 0, '{'.charCodeAt(0)]);
    await files.accept([new File(['{}'], 'config.json'), new File([header], 'weights')], place);
    expect(models).toEqual([['notes.txt'], ['config.json', 'weights']]);
    expect([added, opened, inReview()]).toEqual([[], [], []]);
  },
);
