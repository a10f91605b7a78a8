/**
 * The questions that the page suggests over its example, asked as a user does: the example is read with the model's
 * own parameters, then one suggestion after the other is taken, in the order in which the page shows them. One that is
 * answered wrong must not be suggested. The whole example is read with FULL_TEST=1.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { judgeAnswer } from '../../src/runtime/evaluation/cases/expected-answer.ts';
import { defaultsOf } from '../../src/runtime/engine/engine.ts';
import { openHeadlessSession } from '../../tools/headless-session.ts';
import { openModel, root } from '../../tools/open-model.ts';

interface Suggestion {
  readonly question: string;
  readonly value: string;
  readonly factStartChar: number;
}

const PATIENT_MS = 1_200_000;
const example = join(root, 'public/examples/harbour-chronicle');
const text = readFileSync(`${example}.txt`, 'utf8');
const { questions } = JSON.parse(readFileSync(`${example}.json`, 'utf8')) as {
  readonly questions: readonly Suggestion[];
};

/** @returns what was answered wrong, with the answer. */
async function wrongAfter(history: string, asked: readonly Suggestion[]): Promise<readonly string[]> {
  const { model, backend } = await openModel('tiny', 'wasm');
  const { session } = openHeadlessSession({
    model,
    backend: backend.id,
    title: 'Suggestions',
    config: defaultsOf(model),
    onEvents: () => undefined,
  });
  session.ingestText(history, 'The Harbour Chronicle', 'document');
  while (session.state.pendingTokens > 0) await session.step();
  const wrong: string[] = [];
  for (const { question, value } of asked) {
    const { answer } = await session.ask(question);
    const { isAnswered } = judgeAnswer({ kind: 'in-order', values: [value] }, answer.text);
    if (!isAnswered) wrong.push(`${question} ${answer.text} (${value})`);
  }
  await session.close();
  model.dispose();
  return wrong;
}

it(
  'the first ones, while the example is still being read, are answered right',
  async () => {
    const first = questions.slice(0, 3);
    const isRead = text.indexOf('\n\n', first.at(-1)!.factStartChar);
    expect(await wrongAfter(text.slice(0, isRead), first)).toEqual([]);
  },
  PATIENT_MS,
);

it.runIf(process.env['FULL_TEST'] === '1')(
  'all of them, after the whole example, are answered right one after the other',
  async () => {
    expect(questions.length).toBeGreaterThanOrEqual(8);
    expect(await wrongAfter(text, questions)).toEqual([]);
  },
  PATIENT_MS,
);
