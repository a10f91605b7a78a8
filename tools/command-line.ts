/** What the command lines of the headless tools share: numbers, parameters, and how a bad one is refused. */
import { readNumber } from '../src/base/read-number.ts';
import { ConfigError, type RunConfig } from '../src/core/trace/config.ts';
import { parameterNamed, readParameter, type ParameterId } from '../src/core/parameters/parameters.ts';
import type { LoadedModel } from '../src/nn/ports.ts';
import { defaultsOf } from '../src/runtime/engine/engine.ts';
import { applyModelChanges } from '../src/runtime/session/head/lens-variant.ts';

/** A bad flag or value; the message says which and what is allowed. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** @throws {OptionError} */
export function wholeNumber(flag: string, text: string, least: number): number {
  const reading = readNumber(text, { min: least, max: Number.MAX_SAFE_INTEGER, whole: true });
  if (reading.ok) return reading.value;
  throw new OptionError(`${flag} takes a whole number from ${least}, not "${text}".`);
}

/** The `--set key=value` pairs as changes to a configuration. @throws {OptionError} */
export function parameterChanges(pairs: readonly string[]): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const pair of pairs) {
    const [key = '', ...rest] = pair.split('=');
    if (rest.length === 0) throw new OptionError(`--set takes key=value, not "${pair}".`);
    changes[key] = typedValue(key, rest.join('='));
  }
  return changes;
}

/** `--NAME VALUE` for some parameters, as `parseArgs` takes them: short for `--set`. */
export function parameterFlags<const Flags extends Readonly<Record<string, ParameterId>>>(flags: Flags) {
  type Options = { readonly [Name in keyof Flags]: { readonly type: 'string' } };
  return {
    options: Object.fromEntries(Object.keys(flags).map((flag) => [flag, { type: 'string' }])) as Options,
    /** The pairs that the flags given stand for. */
    pairs: (values: { readonly [Name in keyof Flags]?: string | undefined }): readonly string[] =>
      Object.entries(flags).flatMap(([flag, id]) =>
        values[flag] === undefined ? [] : [`${id}=${values[flag]}`],
      ),
  };
}

/** The model's defaults with the command line's changes. @throws {OptionError} */
export function configWith(model: LoadedModel, changes: Readonly<Record<string, unknown>>): RunConfig {
  try {
    return applyModelChanges(model, defaultsOf(model), changes);
  } catch (error) {
    if (error instanceof ConfigError) throw new OptionError(error.message);
    throw error;
  }
}

/** Of a parameter by its text; what no parameter is called is refused with the rest. @throws {OptionError} */
function typedValue(name: string, text: string): unknown {
  const parameter = parameterNamed(name);
  if (parameter === undefined) return text;
  const reading = readParameter(parameter, text);
  if (reading.ok) return reading.value;
  throw new OptionError(`${name} = ${text}: ${reading.message}.`);
}
