import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { exceeded, lowered, tableOf } from './bounds.ts';
import { measureHouse } from './figures.ts';
import { readImportGraph } from './import-graph.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A checkout of these files; each imports what is listed for it. */
function checkout(files: Readonly<Record<string, readonly string[]>>): string {
  const root = mkdtempSync(join(tmpdir(), 'floors-'));
  folders.push(root);
  for (const [path, imports] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${imports.join('\n')}\nexport const LIMIT = 3;\n`);
  }
  return root;
}

const measured = (files: Readonly<Record<string, readonly string[]>>) =>
  measureHouse(readImportGraph(checkout(files)));

describe('figures of a house', () => {
  it('counts the longest chain inside each room, over files that stay in it', () => {
    const { files, floors } = measured({
      'src/core/a.ts': ["import { LIMIT } from './tree/b.ts';"],
      'src/core/tree/b.ts': ["import type { C } from './c.ts';"],
      'src/core/tree/c.ts': ["import { LIMIT } from '../../base/d.ts';"],
      'src/base/d.ts': ["import { z } from 'zod';"],
    });
    expect(files).toBe(4);
    expect(floors).toEqual({ 'src/core': 3, 'src/base': 1 });
  });

  it('finds folders that import each other though no file does, through types alone', () => {
    const { twoWayFolders, folderCycles } = measured({
      'src/core/a/one.ts': ["import type { X } from '../b/one.ts';"],
      'src/core/b/one.ts': [],
      'src/core/b/two.ts': ["import { X } from '../a/two.ts';"],
      'src/core/a/two.ts': [],
    });
    expect(twoWayFolders).toEqual(['src/core/a <-> src/core/b']);
    expect(folderCycles[0]).toEqual(['src/core/a', 'src/core/b']);
  });

  it('finds a ring of three folders, and one between what stands below two neighbours', () => {
    const ring = measured({
      'src/a/one.ts': ["import '../b/one.ts';"],
      'src/b/one.ts': ["import '../c/one.ts';"],
      'src/c/one.ts': ["import '../a/two.ts';"],
      'src/a/two.ts': [],
    });
    expect(ring.twoWayFolders).toEqual([]);
    expect(ring.folderCycles[0]).toEqual(['src/a', 'src/b', 'src/c']);
    const below = measured({
      'src/a/x/one.ts': ["import '../../b/x/one.ts';"],
      'src/b/x/one.ts': [],
      'src/b/y/one.ts': ["import '../../a/y/one.ts';"],
      'src/a/y/one.ts': [],
    });
    expect(below.folderCycles).toEqual([['src/a/**', 'src/b/**']]);
  });

  it('leaves tests and test support out', () => {
    const { files, twoWayFolders, singleImporter } = measured({
      'src/a/one.ts': ["import '../b/one.ts';"],
      'src/a/two.ts': [],
      'src/b/one.ts': [],
      'src/b/one.test.ts': ["import '../a/two.ts';"],
      'src/b/testing/help.ts': ["import '../../a/two.ts';"],
    });
    expect(files).toBe(3);
    expect(twoWayFolders).toEqual([]);
    expect(singleImporter).toEqual(['src/b/one.ts']);
  });

  it('names constants that two files write alike', () => {
    const { repeatedConstants } = measured({ 'src/a/one.ts': [], 'src/b/one.ts': [] });
    expect(repeatedConstants).toEqual(['LIMIT = 3: src/a/one.ts, src/b/one.ts']);
  });
});

describe('bounds', () => {
  const table = tableOf(measured({ 'src/a/one.ts': ["import './two.ts';"], 'src/a/two.ts': [] }));

  it('are red when exceeded, and when they bound nothing', () => {
    expect(exceeded(table, { 'floors of src/a': 2, files: 9 })).toEqual([]);
    expect(exceeded(table, { 'floors of src/a': 1 })).toEqual([
      'floors of src/a: 1 → 2; the bound may only fall',
    ]);
    expect(exceeded(table, { 'floors of src/gone': 1 })).toHaveLength(1);
  });

  it('fall, and never rise', () => {
    expect(lowered(table, { 'floors of src/a': 7, 'constants written twice': 0 })).toEqual({
      'floors of src/a': 2,
      'constants written twice': 0,
    });
  });
});
