/** The parameters of one run as a value: its schema, its defaults, and what changed between two. */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import {
  PARAMETERS,
  type Effect,
  type ManifestParameter,
  type ParameterAffecting,
  type ParameterId,
  type ParameterSchemas,
} from '../parameters/parameters.ts';

const schemas = Object.fromEntries(PARAMETERS.map(({ id, schema }) => [id, schema]));

export const runConfigSchema = z.strictObject(schemas as unknown as ParameterSchemas);

const inManifest = <Of extends 'required' | 'optional'>(of: Of) =>
  Object.fromEntries(
    PARAMETERS.flatMap((parameter) => (parameter.inManifest === of ? [[parameter.id, true]] : [])),
  ) as Readonly<Record<ManifestParameter<Of>, true>>;

/** What a model's manifest says of parameters: those that it was measured best with. */
export const modelDefaultsSchema = z.strictObject({
  ...runConfigSchema.pick(inManifest('required')).shape,
  ...runConfigSchema.pick(inManifest('optional')).partial().shape,
});

/** The parameters of one run. Changes apply at the next refocus. */
export type RunConfig = z.infer<typeof runConfigSchema>;

/** The part of a configuration that an effect depends on. */
export type ConfigAffecting<Of extends Effect> = Pick<RunConfig, ParameterAffecting<Of>>;

export const DEFAULT_RUN_CONFIG: RunConfig = runConfigSchema.parse(
  Object.fromEntries(PARAMETERS.map((parameter) => [parameter.id, parameter.default])),
);

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Merge changes into a configuration.
 *
 * @throws {ConfigError} for an unknown parameter or a value out of range; the message names both, and the
 * configuration given is unchanged.
 */
export function applyConfigChanges(config: RunConfig, changes: Readonly<Record<string, unknown>>): RunConfig {
  for (const key of Object.keys(changes)) {
    if (!Object.hasOwn(DEFAULT_RUN_CONFIG, key)) {
      throw new ConfigError(
        key,
        `Unknown parameter "${key}". Known: ${Object.keys(DEFAULT_RUN_CONFIG).join(', ')}.`,
      );
    }
  }
  const parsed = runConfigSchema.safeParse({ ...config, ...changes }, IN_WORDS);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const parameter = String(issue.path[0] ?? 'config');
  throw new ConfigError(parameter, `${parameter} = ${JSON.stringify(changes[parameter])}: ${issue.message}.`);
}

/** The parameters in which two configurations differ, in display order. */
export function changedIds(before: RunConfig, after: RunConfig): readonly ParameterId[] {
  return PARAMETERS.map(({ id }) => id).filter((id) => before[id] !== after[id]);
}

/** What `applyConfigChanges` makes the second configuration of the first by. */
export function changesBetween(before: RunConfig, after: RunConfig): Partial<RunConfig> {
  return Object.fromEntries(changedIds(before, after).map((id) => [id, after[id]]));
}

/** Whether one of these parameters has the effect. */
export function haveEffect(ids: readonly ParameterId[], effect: Effect): boolean {
  return PARAMETERS.some(({ id, affects }) => affects.includes(effect) && ids.includes(id));
}
