/** Tables of figures and words, and how they are written as CSV. */

export type Cell = string | number | null;

/** `rows` are `[names.length]` each; null where nothing was measured. */
export interface Table {
  readonly names: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** RFC 4180, line by line, header first. */
export function* csvLines({ names, rows }: Table): Generator<string> {
  for (const cells of [names, ...rows]) yield `${cells.map(written).join(',')}\r\n`;
}

/** The same whole. */
export function csvOf(table: Table): string {
  return [...csvLines(table)].join('');
}

/** A stranger's text must not become a formula in a spreadsheet, hence the apostrophe. */
function written(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
