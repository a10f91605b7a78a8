import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { checkTableFile, writeTable } from './table-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'table-file-'));
const table = {
  names: ['step', 'policy', 'deltaNll', 'never'],
  rows: [
    [1, 'lensnet', 0.25, null],
    [2, '=1+1', null, null],
  ],
};

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a table file', () => {
  it('is Parquet with a type a column, and nothing where nothing was measured', async () => {
    const file = join(folder, 'deep/steps.parquet');
    writeTable(file, table);
    const { buffer } = new Uint8Array(readFileSync(file));
    expect(await parquetReadObjects({ file: buffer })).toEqual([
      { step: 1, policy: 'lensnet', deltaNll: 0.25, never: null },
      { step: 2, policy: '=1+1', deltaNll: null, never: null },
    ]);
  });

  it('is CSV where its name says so', () => {
    const file = join(folder, 'steps.csv');
    writeTable(file, table);
    expect(readFileSync(file, 'utf8')).toBe("step,policy,deltaNll,never\r\n1,lensnet,0.25,\r\n2,'=1+1,,\r\n");
  });

  it('is refused by any other name', () => {
    expect(checkTableFile('--table', 'a/b.parquet')).toBe('a/b.parquet');
    expect(() => checkTableFile('--table', 'b.xlsx')).toThrow(/--table takes .*\.parquet or \.csv.*b\.xlsx/);
  });
});
