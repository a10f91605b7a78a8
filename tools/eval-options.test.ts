import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { UnitResult } from '../src/runtime/evaluation/run/run-suite.ts';
import { OptionError } from './command-line.ts';
import { gistCacheIn } from './eval/disk-cache.ts';
import { parseEvalOptions } from './eval/options.ts';
import { PartialResults } from './eval/partial.ts';

describe('parseEvalOptions', () => {
  it('runs suite recall at four lengths where nothing else is said', () => {
    const command = parseEvalOptions([]);
    expect(command).toMatchObject({
      suites: ['recall'],
      policies: null,
      tasks: null,
      templates: 'core',
      samples: null,
      seed: 0,
    });
    expect(command.lengths).toEqual([1, 4, 16, 64].map((value) => ({ value, unit: 'budgets' })));
    expect(command.shard).toEqual({ index: 1, count: 1 });
  });

  it('reads lists, lengths, parameters and shards', () => {
    const command = parseEvalOptions(
      '--policy bm25-blocks,lensnet --tasks all --lengths 0.5x,4096 --budget 512 --set strategy=adaptive --shard 2/8'.split(
        ' ',
      ),
    );
    expect(command.policies).toEqual(['bm25-blocks', 'lensnet']);
    expect(command.tasks).toContain('paraphrase');
    expect(command.lengths).toEqual([
      { value: 0.5, unit: 'budgets' },
      { value: 4096, unit: 'tokens' },
    ]);
    expect(command.changes).toEqual({ budgetTokens: 512, strategy: 'adaptive' });
    expect(command.shard).toEqual({ index: 2, count: 8 });
  });

  it('reads ways to read, which have commas of their own, and all of them', () => {
    const suite = ['--suite', 'heads', '--templates', 'held-out', '--text', 'a.txt'];
    const command = parseEvalOptions([...suite, '--arms', 'one window, by parts; 4 heads']);
    expect(command).toMatchObject({ arms: ['one window, by parts', '4 heads'], templates: 'held-out' });
    expect(parseEvalOptions(suite).arms).toBeNull();
    expect(parseEvalOptions([...suite, '--arms', 'all']).arms!.length).toBeGreaterThan(20);
  });

  it.each([
    ['--policy wish', /--policy takes all or a list of full, .* not "wish"/],
    ['--tasks spelling', /--tasks/],
    ['--suite taste', /--suite/],
    ['--templates new', /core, trained, held-out, not "new"/],
    ['--templates held-out --suite lens', /recall and heads/],
    ['--text a.txt', /stream and heads/],
    ['--arms all', /--suite heads/],
    ['--suite heads --arms many', /no "many"\. Known, .*: one window; .*4 heads/],
    ['--lengths 4y', /4096 or 4x, not "4y"/],
    ['--lengths 0', /not "0"/],
    ['--shard 3/2', /i from 1 to n/],
    ['--samples none', /--samples takes a whole number/],
    ['--resume', /--json OUT/],
    ['--backend webgpu', /wasm, cpu/],
    ['--colour red', /--colour/],
  ])('refuses %s', (text, problem) => {
    expect(() => parseEvalOptions(text.split(' '))).toThrow(OptionError);
    expect(() => parseEvalOptions(text.split(' '))).toThrow(problem);
  });
});

describe('files of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evaluation-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('goes on behind the last whole result, and refuses those of another run', () => {
    const path = join(folder, 'out.partial.jsonl');
    const resultOf = (index: number): UnitResult => ({
      unit: { suite: 'recall', task: 'single', templates: 'seen', historyTokens: 1024, index, n: 1 },
      cells: [],
      records: [],
    });
    const first = new PartialResults(path, 'run A', false);
    first.add(resultOf(0));
    first.add(resultOf(1));
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, `${whole}{"unit":{"sui`);

    const second = new PartialResults(path, 'run A', true);
    expect(second.results).toEqual([resultOf(0), resultOf(1)]);
    expect([second.has('recall/single/1024/1'), second.has('recall/single/1024/2')]).toEqual([true, false]);
    second.add(resultOf(2));
    expect(readFileSync(path, 'utf8')).toBe(`${whole}${JSON.stringify(resultOf(2))}\n`);
    expect(() => new PartialResults(path, 'run B', true)).toThrow(/another run/);
    expect(new PartialResults(path, 'run B', false).results).toEqual([]);
  });

  it('keeps gists between runs', async () => {
    const cache = gistCacheIn(join(folder, 'gists'));
    const bits = Uint16Array.of(1, 2, 65_535);
    expect(await cache.load('a-1')).toBeNull();
    await cache.save('a-1', bits);
    expect(await cache.load('a-1')).toEqual(bits);
  });
});
