import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

interface Package {
  readonly version: string;
  readonly integrity?: string;
  readonly optional?: boolean;
}

const IDB = { version: '8.0.4', integrity: 'sha512-a' };
const WANTED = {
  '': { version: '0.1.0' },
  'node_modules/idb': IDB,
  'node_modules/binary-for-elsewhere': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'install-'));
  for (const folder of ['tools', 'node_modules', 'bin']) mkdirSync(join(root, folder));
  copyFileSync(join(import.meta.dirname, 'install.mjs'), join(root, 'tools/install.mjs'));
  writeFileSync(join(root, 'bin/npm'), '#!/bin/sh\necho "$@" > npm-ran\n', { mode: 0o755 });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function lock(file: string, packages: Readonly<Record<string, Package>>): void {
  writeFileSync(join(root, file), JSON.stringify({ lockfileVersion: 3, packages }));
}

/** Whether the script called npm, given what npm's own record says is installed; null: there is none. */
function installs(installed: Readonly<Record<string, Package>> | null): boolean {
  lock('package-lock.json', WANTED);
  if (installed !== null) lock('node_modules/.package-lock.json', installed);
  execFileSync(process.execPath, [join(root, 'tools/install.mjs')], {
    env: { ...process.env, PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` },
    stdio: 'ignore',
  });
  return existsSync(join(root, 'npm-ran'));
}

it('installs nothing after an npm ci of one’s own', () => {
  expect(installs({ 'node_modules/idb': IDB })).toBe(false);
});

it.each([
  ['nothing was installed', null],
  ['a package is missing', {}],
  ['a package has another version', { 'node_modules/idb': { ...IDB, version: '8.0.3' } }],
  ['a package has other bytes', { 'node_modules/idb': { ...IDB, integrity: 'sha512-z' } }],
  [
    'an optional one that is there is old',
    {
      'node_modules/idb': IDB,
      'node_modules/binary-for-elsewhere': { version: '0.9.0', integrity: 'sha512-c', optional: true },
    },
  ],
])('installs where %s', (_, installed) => {
  expect(installs(installed)).toBe(true);
});
