/** Reading of untrusted JSON: what is not there, or of another type, is null. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function asList(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

/** An own property; never one of the prototype. */
export function property(value: unknown, key: string): unknown {
  const object = asObject(value);
  return object !== null && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A property inside properties. */
export function nested(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => property(inner, key), value);
}

export function textAt(value: unknown, ...keys: readonly string[]): string | null {
  const found = nested(value, ...keys);
  return typeof found === 'string' ? found : null;
}

/** ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970, told by its size. */
export function timeMsOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number > 0) {
    if (number > 1e17) return Math.round(number / 1e6);
    if (number > 1e14) return Math.round(number / 1e3);
    return Math.round(number > 1e11 ? number : number * 1e3);
  }
  if (typeof value !== 'string') return null;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? null : parsed;
}

/** A value as a person would read it in a log. */
export function readable(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : JSON.stringify(value);
}
