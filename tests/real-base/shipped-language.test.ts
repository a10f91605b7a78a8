/** What the shipped weights' surprise tells apart: questions and prose of the harbour, and everything else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultsOf } from '../../src/runtime/engine/engine.ts';
import type { Session } from '../../src/runtime/session/session.ts';
import { OwnLanguage } from '../../src/ui/model/own-language.ts';
import { createSessionMirror } from '../../src/ui/model/session.ts';
import { openHeadlessSession } from '../../tools/headless-session.ts';
import { openModel, root } from '../../tools/open-model.ts';

const EXAMPLE = join(root, 'public/examples/harbour-chronicle');
const OPEN_MS = 300_000;

let session: Session;
let language: OwnLanguage;
let text: string;
let questions: readonly string[];

beforeAll(async () => {
  text = readFileSync(`${EXAMPLE}.txt`, 'utf8');
  const card = JSON.parse(readFileSync(`${EXAMPLE}.json`, 'utf8')) as {
    readonly questions: readonly { readonly question: string }[];
  };
  questions = card.questions.map(({ question }) => question);
  const { model, backend } = await openModel('tiny', 'wasm');
  ({ session } = openHeadlessSession({
    model,
    backend: backend.id,
    title: 'Own language',
    config: defaultsOf(model),
    onEvents: () => undefined,
  }));
  session.ingestText(text.slice(0, 2400), 'Beginning', 'document');
  while (session.state.pendingTokens > 0) await session.step();
  const mirror = createSessionMirror();
  mirror.setState({ boot: { model: { id: 'tiny' } } as never, session: session.state });
  const send = ((query: Parameters<Session['query']>[0]) => session.query(query)) as never;
  language = new OwnLanguage({ engine: { send }, mirror });
}, OPEN_MS);

afterAll(() => session.close());

it(
  'takes no suggested question and no page of the example for foreign',
  async () => {
    for (const question of questions) {
      await language.checkQuestion(question);
      expect(language.store.getState().question, question).toBeNull();
    }
    for (const at of [3000, 9000, 20_000, 40_000]) {
      await language.checkDocument(text.slice(at, at + 900), 'A page');
      expect(language.store.getState().document, `at ${at}`).toBeNull();
    }
  },
  OPEN_MS,
);

it.each(['Tell me the colour of the lantern that Mara has.', 'Name the trade of Mara Vell.'])(
  'takes “%s”, in a form that the example never uses, for its own',
  async (question) => {
    await language.checkQuestion(question);
    expect(language.store.getState().question).toBeNull();
  },
  OPEN_MS,
);

it.each([
  'What is the capital of France?',
  'Who wrote Hamlet?',
  'Hello, how are you?',
  'Tell me a joke',
  'What is the meaning of life?',
  'Who are you?',
  'Summarise the text above.',
  'Wie heißt die Hauptstadt von Frankreich?',
])(
  'takes “%s” for foreign',
  async (question) => {
    await language.checkQuestion(question);
    expect(language.store.getState().question?.name).toBe(question);
  },
  OPEN_MS,
);

it.each([
  'import numpy as np\ndef f(x):\n    return np.sum(x ** 2)\n',
  'The mitochondrion is the powerhouse of the cell. It produces adenosine triphosphate, which fuels most processes.',
  'Er ging durch den Wald und dachte an nichts Besonderes, als plötzlich ein Hund bellte.',
])(
  'takes the document “%s” for foreign',
  async (document) => {
    await language.checkDocument(document, document);
    expect(language.store.getState().document?.name).toBe(document);
  },
  OPEN_MS,
);
