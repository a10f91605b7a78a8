/**
 * Writes what the training package shares with the playground to `training/constants.json`.
 *
 * Usage: npm run constants
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedConstants } from './shared-constants.ts';
import { helpIfAsked } from './help.ts';

helpIfAsked('npm run constants: writes training/constants.json. It takes no options.');

const path = join(import.meta.dirname, '../training/constants.json');
writeFileSync(path, `${JSON.stringify(sharedConstants(), null, 2)}\n`);
