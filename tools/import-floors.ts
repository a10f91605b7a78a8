/**
 * Prints how the house stands (files, floors, doors that open both ways) and fails where a figure exceeds its
 * bound in `floors/bounds.json`. See `FLOORS_USAGE`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { boundsSchema, exceeded, lowered, tableOf } from './floors/bounds.ts';
import { measureHouse } from './floors/figures.ts';
import { readImportGraph } from './floors/import-graph.ts';
import { helpIfAsked } from './help.ts';

const FLOORS_USAGE = `npm run floors -- [ROOT] [--list] [--tighten]
  ROOT       another checkout, only printed: the bounds are those of this one
  --list     name what was counted
  --tighten  write this checkout's lower figures into the bounds`;

const BOUNDS_FILE = join(import.meta.dirname, 'floors/bounds.json');

helpIfAsked(FLOORS_USAGE);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    tighten: { type: 'boolean', default: false },
  },
});

const [root] = positionals;
const figures = measureHouse(readImportGraph(resolve(root ?? join(import.meta.dirname, '..'))));
const table = tableOf(figures);
const bounds =
  root === undefined ? boundsSchema.parse(JSON.parse(readFileSync(BOUNDS_FILE, 'utf8')) as unknown) : {};

for (const [what, found] of Object.entries(table)) {
  const bound = bounds[what];
  const standing =
    bound === undefined ? '' : bound === found ? `  at most ${bound}` : `  ${bound} → ${found}`;
  console.log(`${what.padEnd(36)}${String(found).padStart(5)}${standing}`);
}
if (values.list) {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['Folder pairs that import each other', figures.twoWayFolders],
    ['Folder cycles', figures.folderCycles.map((cycle) => cycle.join(', '))],
    ['Files with one importer', figures.singleImporter],
    ['Constants written twice', figures.repeatedConstants],
  ];
  for (const [title, lines] of lists)
    console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
}

const faults = exceeded(table, bounds);
for (const fault of faults) console.error(`✘ ${fault}`);
if (faults.length > 0) {
  console.error('npm run floors -- --list names the files and folders.');
  process.exitCode = 1;
} else if (root === undefined && JSON.stringify(lowered(table, bounds)) !== JSON.stringify(bounds)) {
  if (values.tighten) writeFileSync(BOUNDS_FILE, `${JSON.stringify(lowered(table, bounds), null, 2)}\n`);
  console.log(values.tighten ? 'The bounds were lowered.' : 'A bound can fall: npm run floors -- --tighten');
}
