/** Holds the 24 faults that docs/reliability.md names to one test each, which carries the number in its name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FAULTS = Array.from({ length: 24 }, (_, index) => index + 1);

const testFiles = ['src', 'tests', 'tools'].flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.test\.tsx?$/.test(name))
    .map((name) => `${room}/${name.replaceAll('\\', '/')}`),
);

/** Where a test or a group of tests is called `fault NN: …`, by number. */
const named = testFiles.flatMap((file) =>
  [
    ...readFileSync(join(ROOT, file), 'utf8').matchAll(
      /^\s*(?:it|test|describe)?[(.\w\s]*['"`]fault (\d\d): /gm,
    ),
  ].map(([, number]) => ({ file, number: Number(number) })),
);

it('every fault has exactly one test or group of tests that carries its number', () => {
  expect(named.map(({ number }) => number).sort((a, b) => a - b)).toEqual(FAULTS);
});

it('docs/reliability.md names every fault with the file that causes it', () => {
  const text = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) \|.*\| `([^`|]+)` \|$/gm)];
  expect(rows.map(([, number, file]) => ({ number: Number(number), file }))).toEqual(
    [...named].sort((a, b) => a.number - b.number),
  );
});
