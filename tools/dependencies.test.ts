/** docs/dependencies.md lists every package with its reason and licence, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Manifest {
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifestOf = (path: string) => JSON.parse(read(path)) as Manifest;

/** The rows of a section's tables that begin with a package's name: name, reason, licence. */
function packagesUnder(heading: string): [name: string, reason: string, licence: string][] {
  const section = read('docs/dependencies.md')
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/dependencies.md has no section “${heading}”.`);
  return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|/gm)].map(
    ([, name, reason, licence]) => [name!, reason!.trim(), licence!.trim()],
  );
}

it.each([
  ['What ships', 'dependencies'],
  ['What builds, checks and tests', 'devDependencies'],
] as const)('“%s” lists exactly the %s, each with a reason and its licence', (heading, kind) => {
  const listed = packagesUnder(heading);
  expect(listed.map(([name]) => name)).toEqual(Object.keys(manifestOf('package.json')[kind]).sort());
  for (const [name, reason, licence] of listed) {
    expect(reason.length, `the reason for ${name}`).toBeGreaterThan(4);
    expect([name, licence]).toEqual([name, manifestOf(`node_modules/${name}/package.json`).license]);
  }
});

it('pins every version exactly', () => {
  const { dependencies, devDependencies } = manifestOf('package.json');
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  }
});
