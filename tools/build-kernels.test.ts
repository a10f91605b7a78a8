import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileKernels } from './build-kernels.ts';

it('the kernels compile to the same bytes every time', { timeout: 300_000 }, async () => {
  const built = readFileSync(join(import.meta.dirname, '../kernels/build/kernels.wasm'));
  expect(Buffer.from(await compileKernels()).equals(built)).toBe(true);
});
