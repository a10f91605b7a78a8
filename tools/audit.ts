/**
 * `npm run audit`: holds the licences of all packages against those that are accepted, and asks the registry for
 * known faults of what ships. Without a registry it says so and checks the licences alone.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditVerdict, foreignLicences, type PackageLock } from './supply-chain.ts';
import { helpIfAsked } from './help.ts';

helpIfAsked('npm run audit: licences of all packages, and known faults of what ships. It takes no options.');

const root = join(import.meta.dirname, '..');
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as PackageLock;
const foreign = foreignLicences(lock);
for (const sentence of foreign) console.error(sentence);
if (foreign.length === 0) {
  console.log(`The licences of ${Object.keys(lock.packages).length - 1} packages are accepted.`);
}

const { stdout } = spawnSync(
  'npm',
  ['audit', '--json', '--omit=dev', '--fetch-retries=0', '--fetch-timeout=20000'],
  {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  },
);
const verdict = auditVerdict(stdout);
console.log(verdict.words);
process.exit(foreign.length > 0 || verdict.kind === 'faulty' ? 1 : 0);
