/** Holds the folders of `src` to saying of themselves what lives there and where to start reading. */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
/** A single file speaks for itself in its first comment. */
const FILES_THAT_NEED_A_README = 2;

function sourceFolders(): readonly string[] {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.tsx?$/.test(entry.name),
  );
  const counts = new Map<string, number>();
  for (const { parentPath } of sources) counts.set(parentPath, (counts.get(parentPath) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= FILES_THAT_NEED_A_README).map(([folder]) => folder);
}

it('every folder of src with two or more TypeScript files has a README.md', () => {
  const folders = sourceFolders();
  expect(folders).toContain(join(ROOT, 'src/core/tree'));
  const silent = folders.filter((folder) => !existsSync(join(folder, 'README.md')));
  expect(silent.map((folder) => relative(ROOT, folder))).toEqual([]);
});
