/** A profile as a file: every row with its roofline, for a table or for a program. Pure. */
import { type Cell, csvOf } from '../../base/table.ts';
import type { ProfileRow, ProfileTally } from './profile.ts';
import { type MachineLimits, boundOf, focusCost } from './roofline.ts';

/** What was measured, and on what. */
export interface ProfileContext {
  readonly model: string;
  readonly backend: string;
  /** Null where nobody had the machine measured. */
  readonly limits: MachineLimits | null;
}

const COLUMNS: readonly (readonly [name: string, cell: (row: ProfileRow) => Cell])[] = [
  ['group', ({ group }) => group],
  ['name', ({ name }) => name],
  ['calls', ({ calls }) => calls],
  ['ms', ({ ms }) => ms],
  ['longestMs', ({ longestMs }) => longestMs],
  ['tokens', ({ tokens }) => tokens],
  ['bytes', ({ bytes }) => bytes],
  ['flops', ({ flops }) => flops],
  ['dispatches', ({ dispatches }) => dispatches],
];

export function profileCsv({ rows }: ProfileTally, limits: MachineLimits | null): string {
  const bounds = rows.map((row) => (limits === null ? null : boundOf(row, limits)));
  return csvOf({
    names: [...COLUMNS.map(([name]) => name), 'boundMs', 'boundBy'],
    rows: rows.map((row, i) => [
      ...COLUMNS.map(([, cell]) => cell(row)),
      bounds[i]?.ms ?? null,
      bounds[i]?.by ?? null,
    ]),
  });
}

export function profileJson(tally: ProfileTally, { model, backend, limits }: ProfileContext): string {
  const rows = tally.rows.map((row) => ({ ...row, bound: limits === null ? null : boundOf(row, limits) }));
  const { elapsedMs, records, answers } = tally;
  const whole = { model, backend, limits, elapsedMs, records, focus: focusCost(answers), answers, rows };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
