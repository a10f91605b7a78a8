import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../src/core/evaluation-report/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'eval-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const TIMEOUT_MS = 240_000;

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Outcome> } {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'eval.ts'), ...args]);
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, stderr });
    });
  });
  return { child, ended };
}

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

function fileWith(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('npm run eval with what it cannot use', () => {
  it.each([
    [
      'a bad line of cases',
      () => [
        '--cases',
        fileWith('cases.jsonl', '{"history":"a","question":"b","answer":"c"}\n{"history":"a"}\n'),
      ],
      /cases\.jsonl, line 2, question: .*Mend or remove the line; nothing was run/,
    ],
    [
      'no folder of data',
      () => ['--suite', 'ruler', '--data', join(folder, 'nowhere')],
      /--data: there is no folder .*nowhere\. Run npm run eval:data/,
    ],
    [
      'a text shorter than asked for',
      () => ['--suite', 'stream', '--lengths', '4096', '--text', fileWith('short.txt', 'One line.')],
      /short\.txt has \d+ tokens; the longest of --lengths takes 4160\. Lower it/,
    ],
    [
      'a length that a task does not fit',
      () => ['--suite', 'recall', '--tasks', 'single,multi-query', '--lengths', '400'],
      /recall, multi-query at 400 tokens: there is no room .*Raise --lengths, or leave the task out/,
    ],
  ])(
    'names %s, and the remedy, without a stack',
    async (_, args, problem) => {
      const { code, stderr } = await start(args()).ended;
      expect(stderr).toMatch(problem);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(code).toBe(2);
    },
    TIMEOUT_MS,
  );
});

it(
  'keeps what is done when it is interrupted, and goes on from there',
  async () => {
    const out = join(folder, 'out.json');
    const partial = `${out}.partial.jsonl`;
    const args = '--suite recall --tasks single --lengths 640 --samples 60 --policy gists --jobs 1'.split(
      ' ',
    );
    const { child, ended } = start([...args, '--json', out]);
    const linesDone = (): number =>
      existsSync(partial) ? readFileSync(partial, 'utf8').split('\n').length - 2 : 0;
    while (child.exitCode === null && linesDone() < 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /of \d+ histories are done\. They are kept in .*partial\.jsonl: .*--resume goes on/,
    );
    expect(existsSync(out)).toBe(false);
    const kept = readFileSync(partial, 'utf8').split('\n')[1]!;

    const again = start([...args, '--json', out, '--resume']);
    expect((await again.ended).code).toBe(0);
    const report = JSON.parse(readFileSync(out, 'utf8')) as EvaluationReport;
    expect(report.suites[0]!.cells[0]!.n).toBe(60);
    const [cell] = (JSON.parse(kept) as { cells: { clusters: unknown[] }[] }).cells;
    expect(report.suites[0]!.cells[0]!.clusters).toContainEqual(cell!.clusters[0]);
    expect(existsSync(partial)).toBe(false);
  },
  TIMEOUT_MS,
);
