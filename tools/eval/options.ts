/** The command line of `npm run eval`: what it takes and what it refuses. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import {
  EVALUATION_POLICIES,
  type EvaluationPolicyId,
} from '../../src/runtime/evaluation/baselines/policies.ts';
import { type Language, LANGUAGES } from '../../src/runtime/evaluation/world/languages.ts';
import { SUITES, suiteNamed } from '../../src/runtime/evaluation/suites/suites.ts';
import { checkTableFile } from '../table-file.ts';
import { OptionError, parameterChanges, parameterFlags, wholeNumber } from '../command-line.ts';

/** A history's length: tokens, or multiples of the budget. */
export interface LengthOption {
  readonly value: number;
  readonly unit: 'tokens' | 'budgets';
}

export interface EvalCommand {
  readonly suites: readonly string[];
  readonly modelId: string;
  readonly backend: 'wasm' | 'cpu';
  /** Null: what the suites choose. */
  readonly policies: readonly EvaluationPolicyId[] | null;
  readonly tasks: readonly string[] | null;
  /** Of the suite `heads`; null for its own choice. */
  readonly arms: readonly string[] | null;
  /** Forms in which facts are said and asked, of the suites that have them. */
  readonly templates: Language;
  readonly samples: number | null;
  readonly seed: number;
  readonly lengths: readonly LengthOption[];
  readonly changes: Readonly<Record<string, unknown>>;
  readonly casesFile: string | null;
  /** What the suites `stream` and `heads` read instead of a chronicle. */
  readonly textFile: string | null;
  /** Public data that tasks need. */
  readonly dataFolder: string | null;
  readonly jsonFile: string | null;
  /** Every question as it was asked and answered, one JSON object a line. */
  readonly recordsFile: string | null;
  /** The same as logs of Inspect. */
  readonly inspectFolder: string | null;
  readonly markdownFile: string | null;
  /** A row a cell with every figure, as Parquet or CSV. */
  readonly tableFile: string | null;
  /** Quality against cost, as SVG. */
  readonly plotFile: string | null;
  /** Focus against full context by length, as SVG. */
  readonly focusPlotFile: string | null;
  /** False: answers are decoded and the references not read. */
  readonly readsReference: boolean;
  readonly jobs: number;
  readonly isResumed: boolean;
  /** Part `index` (from 1) of `count`. */
  readonly shard: { readonly index: number; readonly count: number };
}

const TEXT_SUITES: readonly string[] = ['stream', 'heads'];

/** The suite of case files runs where a file is named, and alone. */
const suiteIds = (): string[] => SUITES.map(({ id }) => id).filter((id) => id !== 'cases');

const FLAGS = parameterFlags({ budget: 'budgetTokens' });

export const EVAL_USAGE = `npm run eval -- [--suite ${suiteIds().join(',')}] [--tasks T,…] [--policy P,…] [--model ID]
                [--arms 'one window;4 heads'|all] [--templates core|trained|held-out]
                [--samples N] [--seed S] [--budget W] [--lengths 1x,4x,65536] [--set key=value …]
                [--cases FILE.jsonl] [--text FILE] [--data FOLDER] [--json OUT.json] [--markdown OUT.md] [--table OUT.parquet|OUT.csv]
                [--plot OUT.svg] [--focus-plot OUT.svg] [--records OUT.jsonl] [--inspect FOLDER] [--resume] [--jobs J] [--shard i/n] [--answers-only]
                [--backend wasm|cpu]`;

/** @throws {OptionError} */
export function parseEvalOptions(args: readonly string[]): EvalCommand {
  const values = parse(args);
  const { backend } = values;
  if (backend !== 'wasm' && backend !== 'cpu') {
    throw new OptionError(`Unknown backend "${backend}". Under Node: wasm, cpu.`);
  }
  if (values.resume && values.json === undefined) {
    throw new OptionError('--resume goes on from the partial results beside --json OUT: name that file too.');
  }
  const suites = values.cases === undefined ? known('--suite', values.suite, suiteIds()) : ['cases'];
  if (values.text !== undefined && !suites.some((id) => TEXT_SUITES.includes(id))) {
    throw new OptionError(
      `--text names what the suites ${TEXT_SUITES.join(' and ')} read: choose one with --suite ${TEXT_SUITES[0]}.`,
    );
  }
  const templates = LANGUAGES.find((language) => language === values.templates);
  if (templates === undefined) {
    throw new OptionError(`--templates takes ${LANGUAGES.join(', ')}, not "${values.templates}".`);
  }
  const withForms = SUITES.filter(({ hasForms = false }) => hasForms).map(({ id }) => id);
  if (templates !== 'core' && !suites.some((id) => withForms.includes(id))) {
    throw new OptionError(
      `--templates chooses the forms of the suites ${withForms.join(' and ')}: choose one with --suite ${withForms[0]}.`,
    );
  }
  const changes = parameterChanges([...values.set, ...FLAGS.pairs(values)]);
  return {
    suites,
    modelId: values.model,
    backend,
    policies: values.policy === undefined ? null : known('--policy', values.policy, policyIds()),
    tasks: values.tasks === undefined ? null : known('--tasks', values.tasks, taskIds(suites)),
    arms: armsOption(values.arms, suites),
    templates,
    samples: values.samples === undefined ? null : wholeNumber('--samples', values.samples, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    lengths: values.lengths.split(',').map(lengthOption),
    changes,
    casesFile: values.cases ?? null,
    textFile: values.text ?? null,
    dataFolder: values.data ?? null,
    jsonFile: values.json ?? null,
    recordsFile: values.records ?? null,
    inspectFolder: values.inspect ?? null,
    markdownFile: values.markdown ?? null,
    tableFile: values.table === undefined ? null : checkTableFile('--table', values.table),
    plotFile: values.plot ?? null,
    focusPlotFile: values['focus-plot'] ?? null,
    readsReference: !values['answers-only'],
    jobs: values.jobs === undefined ? availableParallelism() : wholeNumber('--jobs', values.jobs, 1),
    isResumed: values.resume,
    shard: shardOption(values.shard),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        suite: { type: 'string', default: 'recall' },
        model: { type: 'string', default: 'tiny' },
        backend: { type: 'string', default: 'wasm' },
        policy: { type: 'string' },
        tasks: { type: 'string' },
        arms: { type: 'string' },
        templates: { type: 'string', default: 'core' },
        samples: { type: 'string' },
        seed: { type: 'string', default: '0' },
        ...FLAGS.options,
        lengths: { type: 'string', default: '1x,4x,16x,64x' },
        set: { type: 'string', multiple: true, default: [] },
        cases: { type: 'string' },
        text: { type: 'string' },
        data: { type: 'string' },
        json: { type: 'string' },
        records: { type: 'string' },
        inspect: { type: 'string' },
        markdown: { type: 'string' },
        table: { type: 'string' },
        plot: { type: 'string' },
        'focus-plot': { type: 'string' },
        'answers-only': { type: 'boolean', default: false },
        jobs: { type: 'string' },
        resume: { type: 'boolean', default: false },
        shard: { type: 'string', default: '1/1' },
      },
    }).values;
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

const policyIds = (): EvaluationPolicyId[] => EVALUATION_POLICIES.map(({ id }) => id);

/** Names have commas of their own. */
function armsOption(text: string | undefined, suites: readonly string[]): readonly string[] | null {
  if (text === undefined) return null;
  const known = suites.flatMap((id) => suiteNamed(id).arms ?? []);
  if (known.length === 0) {
    throw new OptionError('--arms chooses ways to read of the suite heads: choose it with --suite heads.');
  }
  if (text === 'all') return known;
  const arms = text.split(';').map((arm) => arm.trim());
  const unknown = arms.find((arm) => !known.includes(arm));
  if (unknown === undefined) return arms;
  throw new OptionError(
    `--arms: there is no "${unknown}". Known, separated by semicolons, or all: ${known.join('; ')}.`,
  );
}

function taskIds(suites: readonly string[]): string[] {
  return SUITES.filter(({ id }) => suites.includes(id)).flatMap(({ tasks }) => tasks.map(({ id }) => id));
}

/** A comma-separated list of names, `all` for every one. */
function known<T extends string>(flag: string, text: string, names: readonly T[]): T[] {
  if (text === 'all') return [...names];
  return text.split(',').map((name) => {
    const found = names.find((other) => other === name.trim());
    if (found !== undefined) return found;
    throw new OptionError(`${flag} takes all or a list of ${names.join(', ')}, not "${name}".`);
  });
}

function lengthOption(text: string): LengthOption {
  const [, digits, times] = /^(\d+(?:\.\d+)?)(x?)$/.exec(text.trim()) ?? [];
  const value = Number(digits);
  const isWhole = times === 'x' || Number.isSafeInteger(value);
  if (digits !== undefined && value > 0 && isWhole)
    return { value, unit: times === 'x' ? 'budgets' : 'tokens' };
  throw new OptionError(
    `--lengths takes tokens or multiples of the budget, such as 4096 or 4x, not "${text}".`,
  );
}

function shardOption(text: string): EvalCommand['shard'] {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new OptionError(`--shard takes i/n with i from 1 to n, such as 2/8, not "${text}".`);
}
