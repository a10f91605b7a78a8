/** What a schema refuses, in words for people: handed to every check whose message may reach one. */
import type { z } from './zod.ts';

type Issue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'nothing',
  undefined: 'nothing',
};

/** Handed to `safeParse`; a schema's own words go first. */
export const IN_WORDS = { error: wordsOfIssue };

function wordsOfIssue(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `${kindOf(issue.expected)} is missing`;
      return `${nameOf(issue.input)} is not ${kindOf(issue.expected)}`;
    case 'too_small':
      return `it must be ${issue.inclusive === false ? 'more than' : 'at least'} ${bound(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `it must be ${issue.inclusive === false ? 'less than' : 'at most'} ${bound(issue.maximum, issue.origin)}`;
    case 'invalid_value':
      return `${nameOf(issue.input)} is none of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `${issue.keys.map((key) => `“${key}”`).join(', ')} is not known here`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_union':
    case 'not_multiple_of':
      return `${nameOf(issue.input)} is not understood`;
  }
}

function kindOf(expected: string): string {
  return KINDS[expected] ?? expected;
}

function bound(limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${limit} characters long`;
  if (origin === 'array') return `${limit} entries long`;
  return String(limit);
}

const LONGEST = 40;

function nameOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'what was given';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string')
    return `“${value.length > LONGEST ? `${value.slice(0, LONGEST - 1)}…` : value}”`;
  return Array.isArray(value) ? 'a list' : 'an object';
}
