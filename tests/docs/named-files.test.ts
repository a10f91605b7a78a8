/** Holds the documents to the files that they name: a renamed file must not leave its old name behind. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = ['src', 'kernels', 'tools', 'tests', 'docs', 'training', 'models', 'public'];

const files = [
  ...readdirSync(ROOT),
  ...ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((name) =>
      posix.join(room, name.replaceAll('\\', '/')),
    ),
  ),
];
const known = new Set([...files, ...ROOMS]);
const documents = files.filter((path) => path.endsWith('.md') && !path.includes('node_modules'));

/** In backticks: a path from the root, or a source file by its name or the end of its path. */
function namedFiles(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`([\w./-]+)`/g)].map((match) => match[1]!);
  return quoted.filter(
    (name) =>
      new RegExp(`^(${ROOMS.join('|')})/[\\w./-]+$`).test(name) || /^[\w./-]+\.(tsx?|mjs|py)$/.test(name),
  );
}

function exists(name: string, document: string): boolean {
  // What training makes on the way is not kept.
  if (name.startsWith('training/.cache')) return true;
  const path = name.replace(/\/$/, '');
  if (known.has(path) || known.has(posix.join(posix.dirname(document), path))) return true;
  return (
    !ROOMS.some((room) => path.startsWith(`${room}/`)) && files.some((file) => file.endsWith(`/${path}`))
  );
}

it.each(documents)('%s names files that exist', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  expect(namedFiles(text).filter((name) => !exists(name, document))).toEqual([]);
});

it.each(documents)('%s links to files that exist', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
  const missing = targets.filter(
    (target) =>
      !/^[a-z]+:/.test(target) && !known.has(posix.join(posix.dirname(document), target).replace(/\/$/, '')),
  );
  expect(missing).toEqual([]);
});
