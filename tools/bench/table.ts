/** The benchmark's figures as a Markdown table, and what became worse against the last one. Pure. */
import type { BenchRow } from './measure.ts';

export interface TableRow {
  readonly suite: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Between a figure's name and the model that it is of, where that is not the shipped one. */
const OF_MODEL = ' · ';

/** The rows as those of another model than the shipped one. */
export function ofModel(rows: readonly BenchRow[], title: string): readonly BenchRow[] {
  return rows.map((row) => ({ ...row, name: `${row.name}${OF_MODEL}${title}` }));
}

/** Of which model other than the shipped one a figure is; empty where it is of that. */
export function modelOf({ name }: Pick<TableRow, 'name'>): string {
  const at = name.indexOf(OF_MODEL);
  return at < 0 ? '' : name.slice(at + OF_MODEL.length);
}

/** Worse by less than this is taken for noise. */
const NOISE = 0.1;

const HEAD = ['| suite | figure | median | from–to | n |', '|---|---|---|---|---|'];

function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 });
}

export function markdownRow(suite: string, { name, ours, unit, oursMin, oursMax, n }: BenchRow): string {
  return `| ${suite} | ${name} | ${rounded(ours)} ${unit} | ${rounded(oursMin)}–${rounded(oursMax)} | ${n} |`;
}

/** Beside each row that was compared, how many times as fast (or as small) it is. */
export function withRatios(rows: readonly BenchRow[]): readonly BenchRow[] {
  return rows.flatMap((row) => {
    const { name, peerName, ratio, ratioMin, ratioMax } = row;
    if (ratio === null) return [row];
    const times = { ours: ratio, oursMin: ratioMin!, oursMax: ratioMax!, unit: 'times as good per unit' };
    return [row, { ...row, ...times, name: `${name}, against ${peerName!}` }];
  });
}

/** The rows of every table of this form in a text; others are passed over. */
export function readTable(markdown: string): readonly TableRow[] {
  return [
    ...markdown.matchAll(/^\| ([\w-]+) \| ([^|]+) \| ([\d,.]+) ([^|]+) \| [^|]+–[^|]+ \| \d+ \|$/gm),
  ].map(([, suite, name, value, unit]) => {
    return {
      suite: suite!,
      name: name!.trim(),
      value: Number(value!.replaceAll(',', '')),
      unit: unit!.trim(),
    };
  });
}

/**
 * The text with the rows of these suites in place of what it had of them, of the same model; the table is begun where
 * there is none.
 */
export function withRows(
  markdown: string,
  measured: readonly { readonly suite: string; readonly rows: readonly BenchRow[] }[],
): string {
  const key = (suite: string, row: Pick<TableRow, 'name'>): string => `${suite} ${modelOf(row)}`;
  const own = new Set(measured.flatMap(({ suite, rows }) => rows.map((row) => key(suite, row))));
  const lines = markdown.split('\n');
  const isOld = (line: string): boolean => readTable(line).some((row) => own.has(key(row.suite, row)));
  const kept = lines.filter((line) => !isOld(line));
  const added = measured.flatMap(({ suite, rows }) => rows.map((row) => markdownRow(suite, row)));
  const head = kept.indexOf(HEAD[1]!);
  if (head < 0) return [...kept, ...HEAD, ...added, ''].join('\n');
  let end = head + 1;
  while (kept[end]?.startsWith('|') === true) end++;
  return [...kept.slice(0, end), ...added, ...kept.slice(end)].join('\n');
}

/** What became worse, as sentences; speeds fall, everything else rises. */
export function regressions(before: readonly TableRow[], now: readonly TableRow[]): readonly string[] {
  return now.flatMap(({ suite, name, value, unit }) => {
    const old = before.find((row) => row.suite === suite && row.name === name && row.unit === unit);
    if (old === undefined || old.value <= 0 || value <= 0) return [];
    const isSpeed = /per|\/s/.test(unit);
    const factor = isSpeed ? old.value / value : value / old.value;
    if (factor <= 1 + NOISE) return [];
    return [
      `${suite}: ${name} was ${rounded(old.value)} ${unit} and is ${rounded(value)}, ${rounded((factor - 1) * 100)}% worse.`,
    ];
  });
}
