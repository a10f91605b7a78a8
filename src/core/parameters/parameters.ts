/**
 * Every parameter of a run, once: what may stand in it, what it does, in whose words it is explained, and what a
 * new value makes stale. Validation, defaults, form, command line, links and `docs/parameters.md` follow from here;
 * the tables stand in a file a group.
 */
import { z } from '../../base/zod.ts';
import { readNumber } from '../../base/read-number.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { ALLOCATOR } from './allocator.ts';
import { CHAT } from './chat.ts';
import { CONTEXT } from './context.ts';
import { HEADS } from './heads.ts';
import { MEASUREMENT } from './measurement.ts';
import { MEMORY } from './memory.ts';
import { POLICY } from './policy.ts';
import { SAMPLING } from './sampling.ts';
import type { DefinitionId } from './definitions.ts';

/** The sections of the form, in order. */
export const PARAMETER_GROUPS = {
  context: 'Working context',
  allocator: 'Focus allocator',
  policy: 'Policy',
  heads: 'Multi-Head Focus',
  memory: 'Memory',
  chat: 'Chat',
  sampling: 'Sampling',
  measurement: 'Measurement',
} as const;
export type ParameterGroup = keyof typeof PARAMETER_GROUPS;

/** What a new value takes hold of. */
export const EFFECTS = {
  window: 'how the working context is fitted into its budget',
  scorer: 'the scorer, where its policy reads the parameter, and what is scored again at a turn’s end',
  moves: 'which moves a refocus makes',
  decoder: 'how the base reads the working context; what is cached otherwise is run again',
  heads: 'how many working contexts there are, what each looks for, and which of them answer',
  answer: 'how the next answer is sampled',
  pruning: 'which detail goes to the cold tier',
  measurement: 'what is measured on the way, and nothing else',
} as const;
export type Effect = keyof typeof EFFECTS;

interface Description {
  readonly label: string;
  /** The symbol of the design documents, where there is one. */
  readonly symbol?: string;
  readonly unit: string;
  /** What it does, for the form and the documentation. */
  readonly sentence: string;
  /** The entry of `definitions.ts` behind it. */
  readonly definition: DefinitionId;
  readonly affects: readonly Effect[];
  /** A model's manifest gives its own default: it must, or it may. */
  readonly inManifest?: 'required' | 'optional';
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** Of the form's slider. */
  readonly step: number;
  readonly default: number;
}

/** A row of a section's table. */
type Row = Description &
  (
    | ({ readonly kind: 'integer' | 'number' } & Range)
    | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly default: string }
    /** Words of the user's own; empty stands for the model's. `written`: how they are to be written, as a phrase. */
    | {
        readonly kind: 'text';
        readonly maxCharacters: number;
        readonly pattern?: RegExp;
        readonly written?: string;
      }
  );

/** The sections' tables, each in display order. */
const TABLES = {
  context: CONTEXT,
  allocator: ALLOCATOR,
  policy: POLICY,
  heads: HEADS,
  memory: MEMORY,
  chat: CHAT,
  sampling: SAMPLING,
  measurement: MEASUREMENT,
} as const satisfies Readonly<Record<ParameterGroup, Readonly<Record<string, Row>>>>;

type Table = typeof CONTEXT &
  typeof ALLOCATOR &
  typeof POLICY &
  typeof HEADS &
  typeof MEMORY &
  typeof CHAT &
  typeof SAMPLING &
  typeof MEASUREMENT;
export type ParameterId = keyof Table;

type SchemaOf<R> = R extends {
  readonly kind: 'choice';
  readonly choices: readonly (infer Choice extends string)[];
}
  ? z.ZodEnum<{ [Each in Choice]: Each }>
  : R extends { readonly kind: 'text' }
    ? z.ZodString
    : z.ZodNumber;

/** The schema of every parameter, by its id. */
export type ParameterSchemas = { readonly [Id in ParameterId]: SchemaOf<Table[Id]> };

/** Ids of the parameters that have an effect. */
export type ParameterAffecting<Of extends Effect> = {
  [Id in ParameterId]: Of extends Table[Id]['affects'][number] ? Id : never;
}[ParameterId];

/** Ids of the parameters for which a model's manifest must, or may, give its own default. */
export type ManifestParameter<Of extends 'required' | 'optional'> = {
  [Id in ParameterId]: Table[Id] extends { readonly inManifest: Of } ? Id : never;
}[ParameterId];

interface Named extends Description {
  readonly id: ParameterId;
  readonly group: ParameterGroup;
  readonly schema: z.ZodType<string | number>;
}

export interface NumericParameter extends Named, Range {
  readonly kind: 'integer' | 'number';
}

interface ChoiceParameter extends Named {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}

export interface TextParameter extends Named {
  readonly kind: 'text';
  readonly maxCharacters: number;
  readonly default: string;
}

/** One parameter as forms, command lines and documentation read it. */
export type Parameter = NumericParameter | ChoiceParameter | TextParameter;

/** Every parameter, in display order. */
export const PARAMETERS: readonly Parameter[] = Object.entries(TABLES).flatMap(([group, table]) =>
  Object.entries<Row>(table).map(([id, row]) => parameterOf(id as ParameterId, group as ParameterGroup, row)),
);

function parameterOf(id: ParameterId, group: ParameterGroup, row: Row): Parameter {
  switch (row.kind) {
    case 'integer':
    case 'number': {
      const any = row.kind === 'integer' ? z.number().int() : z.number();
      return { id, group, schema: any.min(row.min).max(row.max), ...row };
    }
    case 'choice':
      return { id, group, schema: z.enum(row.choices), ...row };
    case 'text': {
      const { pattern, written, ...rest } = row;
      const any = z.string().max(row.maxCharacters);
      const schema = pattern === undefined ? any : any.regex(pattern, { error: `it takes ${written!}` });
      return { id, group, schema, default: '', ...rest };
    }
  }
}

/** Undefined for a name that no parameter has. */
export function parameterNamed(name: string): Parameter | undefined {
  return PARAMETERS.find(({ id }) => id === name);
}

export type ParameterReading =
  { readonly ok: true; readonly value: number | string } | { readonly ok: false; readonly message: string };

/**
 * A parameter's value from text, as it stands in a form, a link or on a command line; a number may be written in
 * any way that `readNumber` knows. `message` says what is wrong with it otherwise, as a phrase.
 */
export function readParameter(parameter: Parameter, text: string): ParameterReading {
  if (parameter.kind === 'choice') {
    if (parameter.choices.includes(text)) return { ok: true, value: text };
    return { ok: false, message: `“${text}” is none of ${parameter.choices.join(', ')}` };
  }
  if (parameter.kind === 'text') {
    const { maxCharacters } = parameter;
    const { success, error } = parameter.schema.safeParse(text, IN_WORDS);
    if (success) return { ok: true, value: text };
    if (text.length <= maxCharacters) return { ok: false, message: error.issues[0]!.message };
    return { ok: false, message: `it has ${text.length} characters; at most ${maxCharacters} are taken` };
  }
  const { kind, min, max } = parameter;
  return readNumber(text, { min, max, whole: kind === 'integer' });
}
