/** The command line of `npm run loop`: what it takes and what it refuses. */
import { parseArgs } from 'node:util';
import type { RunConfig } from '../src/core/trace/config.ts';
import type { LoadedModel } from '../src/nn/ports.ts';
import { OptionError, configWith, parameterChanges, parameterFlags, wholeNumber } from './command-line.ts';

import { checkTableFile } from './table-file.ts';

export { OptionError } from './command-line.ts';

export interface LoopOptions {
  readonly textFile: string | null;
  /** Null: the whole text, or the default length of the synthetic history. */
  readonly tokens: number | null;
  readonly modelId: string;
  readonly backend: 'wasm' | 'cpu';
  readonly traceFile: string | null;
  /** The metrics of every step, as Parquet or CSV. */
  readonly tableFile: string | null;
  readonly json: boolean;
  /** A question after every so many tokens; 0 asks none. */
  readonly askEvery: number;
  /** Asked one after another when the whole history was read. */
  readonly questions: readonly string[];
  readonly changes: Readonly<Record<string, unknown>>;
}

const FLAGS = parameterFlags({ policy: 'policy', strategy: 'strategy', seed: 'seed' });

export const LOOP_USAGE = `npm run loop -- [--text FILE] [--tokens N] [--policy P] [--strategy S] [--set key=value …] [--model ID|PATH]
                [--backend wasm|cpu] [--seed S] [--ask-every N] [--ask QUESTION …] [--trace OUT.jsonl] [--table OUT.parquet|OUT.csv] [--json]`;

/** @throws {OptionError} */
export function parseLoopOptions(args: readonly string[]): LoopOptions {
  const values = parse(args);
  const { backend } = values;
  if (backend !== 'wasm' && backend !== 'cpu') {
    throw new OptionError(`Unknown backend "${backend}". Under Node: wasm, cpu.`);
  }
  const changes = parameterChanges([...values.set, ...FLAGS.pairs(values)]);
  return {
    textFile: values.text ?? null,
    tokens: values.tokens === undefined ? null : wholeNumber('--tokens', values.tokens, 1),
    modelId: values.model,
    backend,
    traceFile: values.trace ?? null,
    tableFile: values.table === undefined ? null : checkTableFile('--table', values.table),
    json: values.json,
    askEvery: wholeNumber('--ask-every', values['ask-every'], 0),
    questions: values.ask,
    changes,
  };
}

/** The model's defaults with the command line's changes. @throws {OptionError} */
export function configFor(model: LoadedModel, options: LoopOptions): RunConfig {
  return configWith(model, options.changes);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        text: { type: 'string' },
        tokens: { type: 'string' },
        ...FLAGS.options,
        set: { type: 'string', multiple: true, default: [] },
        model: { type: 'string', default: 'tiny' },
        backend: { type: 'string', default: 'wasm' },
        'ask-every': { type: 'string', default: '8192' },
        ask: { type: 'string', multiple: true, default: [] },
        trace: { type: 'string' },
        table: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}
