/** Licences of all packages, what is made of an audit, and the list of parts. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditVerdict, foreignLicences, type PackageLock } from './supply-chain.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

describe('licences', () => {
  it('of every package in the lock file are accepted', () => {
    const lock = read('package-lock.json') as PackageLock;
    expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
    expect(foreignLicences(lock)).toEqual([]);
  });

  it.each([
    [{ license: 'GPL-3.0' }, 'x 1.0.0 ships under GPL-3.0.'],
    [{ license: 'MPL-2.0' }, 'x 1.0.0 ships under MPL-2.0.'],
    [{ license: 'MPL-2.0', dev: true }, null],
    [{ license: 'AGPL-3.0', dev: true }, 'x 1.0.0 builds or tests under AGPL-3.0.'],
    [{ license: 'Apache-2.0 AND GPL-2.0' }, 'x 1.0.0 ships under Apache-2.0 AND GPL-2.0.'],
    [{ license: '(MIT OR GPL-2.0)' }, null],
    [{}, 'x 1.0.0 ships under no licence that it names.'],
  ])('%j', (found, sentence) => {
    const packages = { '': {}, 'node_modules/a/node_modules/x': { version: '1.0.0', ...found } };
    expect(foreignLicences({ packages })).toEqual(sentence === null ? [] : [sentence]);
  });
});

describe('an audit', () => {
  const report = (counts: object) => JSON.stringify({ metadata: { vulnerabilities: counts } });

  it.each([
    [report({ low: 0, high: 0, total: 0 }), 'sound', 'No known faults'],
    [report({ moderate: 2, high: 0, total: 2 }), 'sound', '2 moderate'],
    [report({ moderate: 1, critical: 1, total: 2 }), 'faulty', '1 critical'],
    ['{"message":"request to https://registry.npmjs.org failed, reason: ENOTFOUND"}', 'unknown', 'ENOTFOUND'],
    ['', 'unknown', 'no report'],
    ['null', 'unknown', 'no report'],
  ])('%s', (text, kind, words) => {
    const verdict = auditVerdict(text);
    expect(verdict.kind).toBe(kind);
    expect(verdict.words).toContain(words);
  });
});

it('lists all parts as CycloneDX, and marks those that do not ship', () => {
  const { scripts, dependencies } = read('package.json') as Record<
    'scripts' | 'dependencies',
    Record<string, string>
  >;
  const [command] = scripts['sbom']!.split(' > ');
  const [program, ...parameters] = command!.split(' ');
  const bill = JSON.parse(execFileSync(program!, parameters, { cwd: ROOT, encoding: 'utf8' })) as {
    readonly bomFormat: string;
    readonly components: readonly {
      readonly name: string;
      readonly version: string;
      readonly scope: string;
    }[];
  };
  expect(bill.bomFormat).toBe('CycloneDX');
  const shipped = bill.components.filter(({ scope }) => scope === 'required');
  const parts = new Map(shipped.map(({ name, version }) => [name, version]));
  for (const [name, version] of Object.entries(dependencies))
    expect([name, parts.get(name)]).toEqual([name, version]);
  expect(bill.components.find(({ name }) => name === 'vitest')).toMatchObject({ scope: 'optional' });
});
