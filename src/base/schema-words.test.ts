/** Messages of schemas in words, and that no check in the sources goes without them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from './zod.ts';
import { IN_WORDS } from './schema-words.ts';

const said = (schema: z.ZodType, value: unknown): string | undefined =>
  schema.safeParse(value, IN_WORDS).error?.issues[0]?.message;

it('speaks of values and bounds, never of a schema', () => {
  expect(said(z.number(), Number.NaN)).toBe('what was given is not a number');
  expect(said(z.number(), 'x')).toBe('“x” is not a number');
  expect(said(z.number(), undefined)).toBe('a number is missing');
  expect(said(z.number().min(2), 1)).toBe('it must be at least 2');
  expect(said(z.int().max(5), 9)).toBe('it must be at most 5');
  expect(said(z.int(), 1.5)).toBe('1.5 is not a whole number');
  expect(said(z.string().min(3), '')).toBe('it must be at least 3 characters long');
  expect(said(z.enum(['a', 'b']), 'c')).toBe('“c” is none of a, b');
  expect(said(z.strictObject({}), { y: 1 })).toBe('“y” is not known here');
  expect(said(z.union([z.number(), z.null()]), 'z')).toBe('“z” is not understood');
  expect(said(z.string().regex(/^a/, 'it begins with an a'), 'b')).toBe('it begins with an a');
});

it('is handed to every check', () => {
  const root = join(import.meta.dirname, '..');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name),
  );
  const bare = files.filter((name) =>
    readFileSync(join(root, name), 'utf8')
      .split('\n')
      .some((line) => line.includes('.safeParse(') && !line.includes('IN_WORDS')),
  );
  expect(bare).toEqual([]);
});
