/** The figures as a table of numbers, and the bounds that they may not exceed: each may only fall. */
import { z } from 'zod';
import type { HouseFigures } from './figures.ts';

/** Numbers by what they count; `bounds.json` bounds some of them. */
export type Table = Readonly<Record<string, number>>;

export const boundsSchema = z.record(z.string(), z.number().int().min(0));

export function tableOf(figures: HouseFigures): Table {
  const floors = Object.entries(figures.floors).map(([room, count]) => [`floors of ${room}`, count]);
  return {
    files: figures.files,
    ...(Object.fromEntries(floors) as Table),
    'folder pairs that import each other': figures.twoWayFolders.length,
    'folders in cycles': new Set(figures.folderCycles.flat()).size,
    'files with one importer': figures.singleImporter.length,
    'constants written twice': figures.repeatedConstants.length,
  };
}

/** What exceeds its bound, a sentence each. A bound on nothing that is counted is a fault, too. */
export function exceeded(table: Table, bounds: Table): readonly string[] {
  return Object.entries(bounds).flatMap(([what, bound]) => {
    const found = table[what];
    if (found === undefined) return [`${what}: bounded, but not counted`];
    return found > bound ? [`${what}: ${bound} → ${found}; the bound may only fall`] : [];
  });
}

/** The bounds with those lowered that more than hold. */
export function lowered(table: Table, bounds: Table): Table {
  return Object.fromEntries(
    Object.entries(bounds).map(([what, bound]) => [what, Math.min(bound, table[what] ?? bound)]),
  );
}
