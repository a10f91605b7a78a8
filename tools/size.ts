/** `npm run size [-- FOLDER]`: prints what a built page weighs, and fails where that is over its budget. */
import { resolve } from 'node:path';
import { SIZE_BUDGETS, gzipBytesOf, measureBundle } from './bundle-size.ts';
import { helpIfAsked } from './help.ts';

helpIfAsked('npm run size -- [FOLDER]\n  FOLDER  of a built page; dist where none is named');

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

try {
  const parts = measureBundle(resolve(process.argv[2] ?? 'dist'));
  console.table(
    parts.map(({ name, files, bytes, gzipBytes }) => {
      return { part: name, files: files.length, raw: kilobytes(bytes), gzip: kilobytes(gzipBytes) };
    }),
  );
  for (const budget of SIZE_BUDGETS) {
    const gzipBytes = gzipBytesOf(parts, budget);
    const isOver = gzipBytes > budget.mostGzipBytes;
    if (isOver) process.exitCode = 1;
    const of = `${kilobytes(gzipBytes)} of ${kilobytes(budget.mostGzipBytes)} gzip`;
    console.log(`${isOver ? 'TOO LARGE' : 'within'} ${budget.name}: ${of}`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
