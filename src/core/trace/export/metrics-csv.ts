/** Writes a run's tracks as CSV (RFC 4180): one line a refocus step, an empty cell where nothing was measured. Pure. */
import { STAGES } from '../telemetry.ts';
import type { ActionRecord, Stage, TelemetryEvent, TelemetryEventOf } from '../telemetry.ts';

type Cell = string | number | null;
type Refocus = TelemetryEventOf<'refocus'>;

/** Which row of the table something belongs to. */
interface Place {
  readonly step: number;
  readonly head: number | null;
}

/** What was measured in a step beside its refocus. */
interface Measured {
  deltaNll: TelemetryEventOf<'deltaNll'> | null;
  violations: number;
  readonly stageMs: Partial<Record<Stage, number>>;
}

const taken = ({ actions }: Refocus, kind: ActionRecord['kind']) =>
  actions.filter((action) => action.applied && action.kind === kind).length;

const REFOCUS_COLUMNS: readonly (readonly [name: string, cell: (refocus: Refocus) => Cell])[] = [
  ['step', ({ step }) => step],
  ['head', ({ head }) => head],
  ['timeMs', ({ timeMs }) => timeMs],
  ['cursorTokens', ({ cursor }) => cursor],
  ['trigger', ({ trigger }) => trigger],
  ['policy', ({ policy }) => policy],
  ['windowStartToken', ({ windowStart }) => windowStart],
  ['usedTokens', ({ usedTokens }) => usedTokens],
  ['budgetTokens', ({ budgetTokens }) => budgetTokens],
  ['utilisation', ({ utilisation }) => utilisation],
  ['entryCount', ({ entryCount }) => entryCount],
  ['swapRate', ({ swapRate }) => swapRate],
  ['meanResidencySteps', ({ meanResidency }) => meanResidency],
  ['coherence', ({ coherence }) => coherence],
  ['expansions', (refocus) => taken(refocus, 'expand')],
  ['collapses', (refocus) => taken(refocus, 'collapse')],
  ['evictions', (refocus) => taken(refocus, 'evict')],
  ['readmissions', (refocus) => taken(refocus, 'readmit')],
  [
    'forcedCollapses',
    ({ actions }) => actions.filter((action) => action.applied && action.reason === 'over-budget').length,
  ],
  ['refusedActions', ({ actions }) => actions.filter((action) => !action.applied).length],
  ['scoreMin', ({ scores }) => fold(scores, Math.min)],
  ['scoreMean', ({ scores }) => fold(scores, (sum, score) => sum + score, scores.length)],
  ['scoreMax', ({ scores }) => fold(scores, Math.max)],
];

const MEASURED_COLUMNS: readonly (readonly [name: string, cell: (measured: Measured) => Cell])[] = [
  ['deltaNll', ({ deltaNll }) => deltaNll?.deltaNll ?? null],
  ['workingContextNll', ({ deltaNll }) => deltaNll?.workingContextNll ?? null],
  ['fullNll', ({ deltaNll }) => deltaNll?.fullNll ?? null],
  ['patchExtraNll', ({ deltaNll }) => deltaNll?.patchExtraNll ?? null],
  ...STAGES.map((stage) => [`${stage}Ms`, ({ stageMs }: Measured) => stageMs[stage] ?? null] as const),
  ['violations', ({ violations }) => violations],
];

/**
 * The lines of the file, header first. What belongs to a step may come before or after its refocus, so the cells
 * of all steps are kept until the events end; layouts and scores are not.
 */
export async function* metricsCsv(
  events: Iterable<TelemetryEvent> | AsyncIterable<TelemetryEvent>,
): AsyncGenerator<string> {
  const steps: { readonly at: Place; readonly cells: readonly Cell[] }[] = [];
  const measured = new Map<string, Measured>();
  // What concerns the memory of all heads is told with the first.
  const at = ({ step, head }: Place): Measured => {
    const key = `${head ?? 0}/${step}`;
    const known = measured.get(key) ?? { deltaNll: null, violations: 0, stageMs: {} };
    measured.set(key, known);
    return known;
  };
  for await (const event of events) {
    if (event.type === 'refocus') {
      steps.push({ at: event, cells: REFOCUS_COLUMNS.map(([, cell]) => cell(event)) });
    } else if (event.type === 'deltaNll') at(event).deltaNll = event;
    else if (event.type === 'violation') at(event).violations++;
    else if (event.type === 'latency') {
      const { stageMs } = at(event);
      stageMs[event.stage] = (stageMs[event.stage] ?? 0) + event.ms;
    }
  }
  yield line([...REFOCUS_COLUMNS, ...MEASURED_COLUMNS].map(([name]) => name));
  for (const { at: place, cells } of steps) {
    const beside = at(place);
    yield line([...cells, ...MEASURED_COLUMNS.map(([, cell]) => cell(beside))]);
  }
}

function fold(values: readonly number[], join: (a: number, b: number) => number, divisor = 1): Cell {
  return values.length === 0 ? null : values.reduce((a, b) => join(a, b)) / divisor;
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(written).join(',')}\r\n`;
}

/** Text of a stranger's trace must not become a formula in a spreadsheet, hence the apostrophe. */
function written(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
