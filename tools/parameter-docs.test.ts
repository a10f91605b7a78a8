import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parameterDocs } from './parameter-docs.ts';

it('docs/parameters.md says what the source says; `npm run docs` writes it', () => {
  const written = readFileSync(join(import.meta.dirname, '../docs/parameters.md'), 'utf8');
  expect(written).toBe(parameterDocs());
});
