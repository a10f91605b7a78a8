/** How many bytes a built page sends before it can speak, models aside: what `npm run size` holds to budgets. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface BundlePart {
  readonly name: 'page' | 'style' | 'worker' | 'kernels';
  readonly files: readonly string[];
  readonly bytes: number;
  readonly gzipBytes: number;
}

export interface SizeBudget {
  readonly name: string;
  readonly parts: readonly BundlePart['name'][];
  readonly mostGzipBytes: number;
}

/** In bytes after gzip. A budget falls when what it holds does; it rises only with a reason in docs/performance.md. */
export const SIZE_BUDGETS: readonly SizeBudget[] = [
  { name: 'engine worker', parts: ['worker'], mostGzipBytes: 173_000 },
  {
    name: 'first load without weights',
    parts: ['page', 'style', 'worker', 'kernels'],
    mostGzipBytes: 462_000,
  },
];

/** Static imports of a chunk; a dynamic one is a call and has no such form. */
const STATIC_IMPORT = /(?:import|export)\s*(?:[\w*{}\s,$]+?\s*from\s*)?["']\.\/([\w.-]+\.js)["']/g;

/** A chunk and all that it cannot begin without. */
function closureOf(folder: string, entry: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const text = readFileSync(join(folder, entry), 'utf8');
  for (const [, imported] of text.matchAll(STATIC_IMPORT)) closureOf(folder, imported!, seen);
  return seen;
}

/**
 * @param dist - the folder that `vite build` wrote.
 * @throws {Error} if there is no build, or one of its parts is not found.
 */
export function measureBundle(dist: string): readonly BundlePart[] {
  const assets = join(dist, 'assets');
  if (!existsSync(assets)) throw new Error(`There is no build at ${dist}: run npm run build first.`);
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\.\/assets\/([\w.-]+)"/g)].map(([, name]) => name!);
  const all = readdirSync(assets);
  const part = (name: BundlePart['name'], found: Iterable<string>): BundlePart => {
    const files = [...new Set(found)].sort();
    if (files.length === 0) throw new Error(`The build at ${dist} has no ${name}.`);
    const contents = files.map((file) => readFileSync(join(assets, file)));
    return {
      name,
      files,
      bytes: contents.reduce((sum, content) => sum + content.length, 0),
      gzipBytes: contents.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0),
    };
  };
  const scripts = named.filter((name) => name.endsWith('.js'));
  const workers = all.filter((name) => /^worker-[\w-]+\.js$/.test(name));
  return [
    part(
      'page',
      scripts.flatMap((name) => [...closureOf(assets, name)]),
    ),
    part(
      'style',
      named.filter((name) => name.endsWith('.css')),
    ),
    part(
      'worker',
      workers.flatMap((name) => [...closureOf(assets, basename(name))]),
    ),
    part(
      'kernels',
      // Both, though a page with one thread does not need the second; TensorFlow.js's are fetched later, if at all.
      all.filter((name) => /^kernels-[\w-]+\.wasm$/.test(name)),
    ),
  ];
}

/** What a budget's parts weigh together. */
export function gzipBytesOf(parts: readonly BundlePart[], { parts: held }: SizeBudget): number {
  return parts.filter(({ name }) => held.includes(name)).reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
}
