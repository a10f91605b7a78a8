/**
 * Writes what the documents take from the source: `docs/parameters.md`.
 *
 * Usage: npm run docs
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parameterDocs } from './parameter-docs.ts';
import { helpIfAsked } from './help.ts';

helpIfAsked('npm run docs: writes docs/parameters.md. It takes no options.');

writeFileSync(join(import.meta.dirname, '../docs/parameters.md'), parameterDocs());
