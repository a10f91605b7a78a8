/** What the command lines of the headless tools share: numbers, parameters, and how a bad one is refused. */
import { ConfigError, DEFAULT_RUN_CONFIG, type RunConfig } from '../src/core/trace/config.ts';
import type { LoadedModel } from '../src/nn/ports.ts';
import { defaultsOf } from '../src/runtime/engine/engine-host.ts';
import { applyModelChanges } from '../src/runtime/session/lens-variant.ts';

/** A bad flag or value; the message says which and what is allowed. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** @throws {OptionError} */
export function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
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

/** The model's defaults with the command line's changes. @throws {OptionError} */
export function configWith(model: LoadedModel, changes: Readonly<Record<string, unknown>>): RunConfig {
  try {
    return applyModelChanges(model, defaultsOf(model), changes);
  } catch (error) {
    if (error instanceof ConfigError) throw new OptionError(error.message);
    throw error;
  }
}

/** A parameter's text as the type that it has; its range is checked with the rest. */
function typedValue(key: string, text: string): unknown {
  const isText = typeof (DEFAULT_RUN_CONFIG as Readonly<Record<string, unknown>>)[key] === 'string';
  if (isText || text.trim() === '' || Number.isNaN(Number(text))) return text;
  return Number(text);
}
