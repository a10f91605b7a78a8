import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sharedConstants } from './shared-constants.ts';

it('training/constants.json says what the source says; `npm run constants` writes it', () => {
  const exported = readFileSync(join(import.meta.dirname, '../training/constants.json'), 'utf8');
  expect(JSON.parse(exported)).toEqual(sharedConstants());
});
