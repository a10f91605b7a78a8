/** Writes a table for notebooks and spreadsheets: Parquet or CSV, by the file's name. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { type Cell, type Table, csvOf } from '../src/base/table.ts';
import { OptionError } from './command-line.ts';

const FORMATS = ['.parquet', '.csv'];

/** @throws {OptionError} if the name says neither. */
export function checkTableFile(flag: string, file: string): string {
  if (FORMATS.includes(extname(file))) return file;
  throw new OptionError(`${flag} takes a file that ends in ${FORMATS.join(' or ')}, not "${file}".`);
}

/** Whatever folder the file names is made. */
export function writeTable(file: string, table: Table): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, extname(file) === '.csv' ? csvOf(table) : parquetOf(table));
}

/** Columns of numbers are doubles, or integers where all of them are; the others are strings. */
function parquetOf({ names, rows }: Table): Uint8Array {
  const columnData = names.map((name, at) => {
    const data = rows.map((row) => row[at]!);
    return { name, type: typeOf(data), nullable: true, data };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function typeOf(data: readonly Cell[]): 'INT32' | 'DOUBLE' | 'STRING' {
  const values = data.filter((cell) => cell !== null);
  if (values.some((cell) => typeof cell === 'string')) return 'STRING';
  const isInt = (value: Cell) => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31;
  return values.length > 0 && values.every(isInt) ? 'INT32' : 'DOUBLE';
}
