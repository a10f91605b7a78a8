/**
 * `npm run heads:rows`: asks questions of several heads and writes what they made of them, a line a question, for the
 * training of router and merger (training/train/head_mixing.py).
 */
import { mkdirSync, openSync, closeSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock, yieldToEvents } from '../src/base/clock.ts';
import { hashUint32, Rng } from '../src/base/rng.ts';
import { headRow, type HeadRow, settledHeads } from '../src/runtime/evaluation/answering/head-rows.ts';
import { rememberHistory } from '../src/runtime/evaluation/memory/history-memory.ts';
import {
  questionsPerHistory,
  RECALL_TASK_IDS,
  type RecallTaskId,
  writeRecallHistory,
} from '../src/runtime/evaluation/tasks/recall-tasks.ts';
import { configWith, OptionError, parameterChanges, wholeNumber } from './command-line.ts';
import { openModel } from './open-model.ts';
import { helpIfAsked } from './help.ts';

const USAGE = `npm run heads:rows -- [--out FILE.jsonl] [--tasks T,…] [--tokens N] [--histories N] [--seed S]
                      [--minutes N] [--model ID] [--set heads=4 …]`;
/** Apart from every seed that an evaluation takes. */
const SEED = hashUint32(0x726f7773);

async function main(): Promise<void> {
  helpIfAsked(USAGE);
  const values = optionsOf(process.argv.slice(2));
  const { model } = await openModel(values.model, 'wasm');
  const config = configWith(model, { heads: 4, headTopK: 0, ...parameterChanges(values.set) });
  const until = systemClock.now() + values.minutes * 60_000;
  mkdirSync(dirname(values.out), { recursive: true });
  const file = openSync(values.out, 'w');
  let rows = 0;
  try {
    for (let index = 0; index < values.histories; index++) {
      for (const task of values.tasks) {
        const questions = questionsPerHistory(task, values.tokens, config.recentTokens);
        const place = { historyTokens: values.tokens, recentTokens: config.recentTokens, questions, index };
        const drawn = new Rng(hashUint32(SEED, values.seed, RECALL_TASK_IDS.indexOf(task), index));
        const { ids, cases } = writeRecallHistory(task, place, model, drawn);
        const tree = await rememberHistory(model, ids, undefined, yieldToEvents);
        const start = await settledHeads(model, tree, config, systemClock, yieldToEvents);
        for (const item of cases) {
          if (systemClock.now() > until) return;
          writeSync(
            file,
            `${JSON.stringify(lineOf(task, await headRow(model, start, config, systemClock, item)))}\n`,
          );
          rows++;
        }
        console.log(`${task}, history ${index}: ${rows} questions so far`);
      }
    }
  } finally {
    closeSync(file);
    model.dispose();
    console.log(`${rows} questions in ${values.out}`);
  }
}

/** Hidden states as base64 of little-endian float32. */
function lineOf(task: string, { hidden, ...row }: HeadRow) {
  return { task, ...row, hidden: Buffer.from(hidden.buffer).toString('base64') };
}

function optionsOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        out: { type: 'string', default: 'training/.cache/head-rows.jsonl' },
        tasks: { type: 'string', default: 'multi-key,multi-query,single' },
        tokens: { type: 'string', default: '4096' },
        histories: { type: 'string', default: '8' },
        minutes: { type: 'string', default: '30' },
        seed: { type: 'string', default: '0' },
        model: { type: 'string', default: 'tiny' },
        set: { type: 'string', multiple: true, default: [] },
      },
    });
    const tasks = values.tasks.split(',').map((task) => {
      if (RECALL_TASK_IDS.some((id) => id === task)) return task as RecallTaskId;
      throw new OptionError(`--tasks: there is no task "${task}".`);
    });
    return {
      ...values,
      tasks,
      tokens: wholeNumber('--tokens', values.tokens, 1024),
      histories: wholeNumber('--histories', values.histories, 1),
      minutes: wholeNumber('--minutes', values.minutes, 1),
      seed: wholeNumber('--seed', values.seed, 0),
    };
  } catch (error) {
    throw error instanceof OptionError ? error : new OptionError((error as Error).message, { cause: error });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof OptionError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = error instanceof OptionError ? 2 : 1;
});
