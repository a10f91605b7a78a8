import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
/** Every tool that a script of the package starts, once. */
const TOOLS = [
  ...new Set(Object.values(scripts).flatMap((line) => /^tsx (tools\/\S+\.ts)/.exec(line)?.[1] ?? [])),
];

it('every tool says what it takes before it does anything', () => {
  expect(TOOLS).toEqual(expect.arrayContaining(['tools/eval.ts', 'tools/loop.ts', 'tools/heads.ts']));
  for (const tool of TOOLS) {
    const source = readFileSync(join(root, tool), 'utf8');
    expect([tool, source.match(/^ {0,2}helpIfAsked\(/gm)?.length]).toEqual([tool, 1]);
  }
});

it.each([
  ['tools/eval.ts', '--help', '--lengths'],
  ['tools/loop.ts', '-h', '--ask'],
  ['tools/eval-data.ts', '--help', 'FOLDER'],
])(
  '%s %s prints its options and ends well',
  (tool, flag, option) => {
    const said = execFileSync(process.execPath, ['--import', 'tsx', tool, flag], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(said).toContain('npm run ');
    expect(said).toContain(option);
  },
  60_000,
);
