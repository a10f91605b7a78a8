/** A run's tracks as a table: one row a refocus step of a head, null where nothing was measured. Pure. */
import type { Cell, Table } from '../../../base/table.ts';
import { STAGES } from '../telemetry.ts';
import type { ActionRecord, Stage, TelemetryEvent, TelemetryEventOf } from '../telemetry.ts';

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

/** What belongs to a step may come before or after its refocus, so that all events are read first. */
export async function metricsTable(
  events: Iterable<TelemetryEvent> | AsyncIterable<TelemetryEvent>,
): Promise<Table> {
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
  return {
    names: [...REFOCUS_COLUMNS, ...MEASURED_COLUMNS].map(([name]) => name),
    rows: steps.map(({ at: place, cells }) => {
      const beside = at(place);
      return [...cells, ...MEASURED_COLUMNS.map(([, cell]) => cell(beside))];
    }),
  };
}

function fold(values: readonly number[], join: (a: number, b: number) => number, divisor = 1): Cell {
  return values.length === 0 ? null : values.reduce((a, b) => join(a, b)) / divisor;
}
