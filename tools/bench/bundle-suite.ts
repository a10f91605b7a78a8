/** What the built page weighs (`npm run build` first). */
import { join } from 'node:path';
import { SIZE_BUDGETS, gzipBytesOf, measureBundle } from '../bundle-size.ts';
import { type BenchRow, rowOf } from './measure.ts';

/** @throws {Error} if there is no build. */
export function bundleSuite(root: string): readonly BenchRow[] {
  const parts = measureBundle(join(root, 'dist'));
  return [
    ...parts.map(({ name, gzipBytes }) => rowOf(`${name}, gzip`, [gzipBytes / 1000], 'kB')),
    ...SIZE_BUDGETS.map((budget) => rowOf(`${budget.name}, gzip`, [gzipBytesOf(parts, budget) / 1000], 'kB')),
  ];
}
