/** `npm run heads`: picks a base's retrieval heads on a handful of examples and writes them into its manifest. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { hashUint32, Rng } from '../src/base/rng.ts';
import { baseSha256, manifestSchema } from '../src/nn/model-folder/manifest.ts';
import type { LoadedModel } from '../src/nn/ports.ts';
import { scoreHeads, type ScoredHead } from '../src/runtime/evaluation/baselines/head-picker.ts';
import { CaseFileError, parseCases } from '../src/runtime/evaluation/cases/case-file.ts';
import type { SharedHistory } from '../src/runtime/evaluation/cases/evaluation-case.ts';
import { historiesOf } from '../src/runtime/evaluation/suites/cases-suite.ts';
import { writeRecallHistory } from '../src/runtime/evaluation/tasks/recall-tasks.ts';
import { OptionError, wholeNumber } from './command-line.ts';
import { folderOf, openModel } from './open-model.ts';
import { helpIfAsked } from './help.ts';

const USAGE = `npm run heads -- [--model ID] [--heads N] [--cases FILE.jsonl] [--dry-run]`;

/** Examples where no file brings others: two histories of the tiny base's world, of ten questions each. */
const HISTORIES = 2;
const QUESTIONS = 10;
const HISTORY_TOKENS = 2048;
/** Apart from every seed that an evaluation takes. */
const SEED = hashUint32(0x68656164);
/** The paper keeps about this share of all heads. */
const SHARE = 0.02;
const LEAST_HEADS = 2;

async function main(): Promise<void> {
  helpIfAsked(USAGE);
  const values = optionsOf(process.argv.slice(2));
  const folder = folderOf(values.model);
  const path = folder === null ? null : join(folder, 'manifest.json');
  if (path === null || !existsSync(path)) {
    throw new OptionError(
      `${values.model} has no manifest.json that could keep the heads: make a model folder of it (docs/models.md).`,
    );
  }
  const { model } = await openModel(values.model, 'wasm');
  try {
    const examples = values.cases === undefined ? worldExamples(model) : fileExamples(model, values.cases);
    const scored = await scoreHeads(model, examples, systemClock, () => Promise.resolve());
    const count = values.heads ?? Math.max(LEAST_HEADS, Math.round(scored.length * SHARE));
    const picked = scored.slice(0, count);
    print(scored, picked);
    if (values.isDryRun) return;
    writeHeads(path, model, picked, examples);
    console.log(`\nWritten to ${path}.`);
  } finally {
    model.dispose();
  }
}

function optionsOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        model: { type: 'string', default: 'tiny' },
        heads: { type: 'string' },
        cases: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    return {
      model: values.model,
      cases: values.cases,
      heads: values.heads === undefined ? undefined : wholeNumber('--heads', values.heads, 1),
      isDryRun: values['dry-run'],
    };
  } catch (error) {
    throw error instanceof OptionError ? error : new OptionError((error as Error).message, { cause: error });
  }
}

function worldExamples(model: LoadedModel): SharedHistory[] {
  return Array.from({ length: HISTORIES }, (_, index) => {
    const place = { historyTokens: HISTORY_TOKENS, recentTokens: 0, questions: QUESTIONS, index };
    return writeRecallHistory('multi-key', place, model, new Rng(hashUint32(SEED, index)));
  });
}

/** @throws {OptionError} | {CaseFileError} */
function fileExamples(model: LoadedModel, file: string): SharedHistory[] {
  const cases = parseCases(contentOf(file), file);
  if (cases.every(({ gold }) => gold === null)) {
    throw new OptionError(`${file}: no case has "gold", the characters of the history that answer it.`);
  }
  return historiesOf(cases, model);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new OptionError(`--cases: ${(error as Error).message}`, { cause: error });
  }
}

function print(scored: readonly ScoredHead[], picked: readonly ScoredHead[]): void {
  console.log('layer  head  attention on what answers');
  for (const { id, score } of scored.slice(0, Math.max(picked.length, 16))) {
    const [layer, head] = id.map(String) as [string, string];
    const mark = picked.some((other) => other.id === id) ? ' picked' : '';
    console.log(`${layer.padStart(5)}  ${head.padStart(4)}  ${score.toFixed(4)}${mark}`);
  }
}

/** Everything else in the manifest stays, and the model's hash with it. */
function writeHeads(
  path: string,
  model: LoadedModel,
  picked: readonly ScoredHead[],
  examples: readonly SharedHistory[],
): void {
  const args = process.argv.slice(2);
  const before = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const retrievalHeads = {
    heads: picked.map(({ id }) => id),
    baseSha256: baseSha256(model),
    examples: examples.reduce((sum, { cases }) => sum + cases.length, 0),
    command: ['npm run heads', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  };
  const others = Object.entries(before).filter(([name]) => name !== 'retrievalHeads');
  const manifest = Object.fromEntries(
    others.flatMap((entry) => (entry[0] === 'files' ? [['retrievalHeads', retrievalHeads], entry] : [entry])),
  );
  manifestSchema.parse(manifest);
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

main().catch((error: unknown) => {
  const isUsage = error instanceof OptionError || error instanceof CaseFileError;
  console.error(isUsage ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = isUsage ? 2 : 1;
});
