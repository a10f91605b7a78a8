/**
 * Writes a run as Chrome trace JSON, which Perfetto and chrome://tracing open: stages as duration events in one
 * track each, actions and violations as instants, budget and metrics as counters. Pure.
 *
 * Format: "Trace Event Format", JSON Object Format (phases X, i, C, M; times in microseconds).
 */
import type { ActionRecord, Stage, TelemetryEvent, TelemetryEventOf, TraceHeader } from '../telemetry.ts';

const PROCESS = 1;
const STAGE_THREADS: Readonly<Record<Stage, number>> = {
  ingest: 1,
  gist: 2,
  score: 3,
  allocate: 4,
  decode: 5,
  telemetry: 6,
};
const ACTION_THREAD = 7;
const HISTORY_THREAD = 8;
const TOKEN_THREAD = 9;

const THREAD_NAMES: readonly (readonly [thread: number, name: string])[] = [
  ...Object.entries(STAGE_THREADS).map(([stage, thread]) => [thread, stage] as const),
  [ACTION_THREAD, 'focus actions'],
  [HISTORY_THREAD, 'history and violations'],
  [TOKEN_THREAD, 'decoded tokens'],
];

interface ChromeEvent {
  readonly name: string;
  readonly ph: 'X' | 'i' | 'C' | 'M';
  readonly ts: number;
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly dur?: number;
  /** Scope of an instant: its thread. */
  readonly s?: 't';
  readonly args: Readonly<Record<string, unknown>>;
}

/** The file in pieces, of which each ends between two events. */
export async function* chromeTrace(
  header: TraceHeader,
  events: Iterable<TelemetryEvent> | AsyncIterable<TelemetryEvent>,
): AsyncGenerator<string> {
  const { modelId, modelHash, backend, seed, createdAt, config } = header;
  const otherData = { modelId, modelHash, backend, seed, createdAt, config };
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[\n`;
  const names = [
    metadata('process_name', 0, { name: `MegaContext ${modelId}` }),
    ...THREAD_NAMES.flatMap(([thread, name]) => [
      metadata('thread_name', thread, { name }),
      metadata('thread_sort_index', thread, { sort_index: thread }),
    ]),
  ];
  yield names.map((event) => JSON.stringify(event)).join(',\n');
  for await (const event of events) {
    const drawn = eventsOf(event);
    if (drawn.length > 0) yield `,\n${drawn.map((each) => JSON.stringify(each)).join(',\n')}`;
  }
  yield '\n]}\n';
}

function metadata(name: string, tid: number, args: ChromeEvent['args']): ChromeEvent {
  return { name, ph: 'M', ts: 0, pid: PROCESS, tid, args };
}

function eventsOf(event: TelemetryEvent): readonly ChromeEvent[] {
  const { step } = event;
  const instant = (tid: number, name: string, args: ChromeEvent['args']): ChromeEvent => ({
    name,
    ph: 'i',
    ts: microseconds(event.timeMs),
    pid: PROCESS,
    tid,
    cat: event.type,
    s: 't',
    args: { step, ...args },
  });
  switch (event.type) {
    case 'latency':
      return [duration(event)];
    case 'refocus':
      return [
        ...counters(event),
        ...event.actions.map((action) => instant(ACTION_THREAD, actionName(action), actionArgs(action))),
      ];
    case 'action':
      return [instant(ACTION_THREAD, actionName(event.action), actionArgs(event.action))];
    case 'evict':
    case 'readmit':
      return [
        instant(ACTION_THREAD, `${event.type} LOD${event.lod}`, { start: event.start, end: event.end }),
      ];
    case 'deltaNll':
      return event.deltaNll === null ? [] : [counter(event.timeMs, 'ΔNLL', { nats: event.deltaNll })];
    case 'decode': {
      const { text, tokenId, index, logProbability, entropy } = event;
      return [instant(TOKEN_THREAD, text, { tokenId, index, logProbability, entropy })];
    }
    case 'ingest': {
      const { role, start, end, documentId } = event;
      return [instant(HISTORY_THREAD, `ingest ${role}`, { start, end, documentId })];
    }
    case 'violation':
      return [instant(HISTORY_THREAD, `violation: ${event.check}`, { message: event.message })];
    case 'sensitivity': {
      const { lod, start, end, deltaNll } = event;
      return [instant(HISTORY_THREAD, `sensitivity of LOD${lod}`, { start, end, deltaNll })];
    }
    case 'router': {
      const { router, chosen, utilities, confidence, ms } = event;
      return [
        instant(ACTION_THREAD, `router: heads ${chosen.join(', ')}`, { router, utilities, confidence, ms }),
      ];
    }
    case 'staging': {
      const { usedTokens, ageTokens, hits, misses, refocusMs, servedTokens } = event;
      const served = { usedTokens, ageTokens, hits, misses, refocusMs, servedTokens };
      return [instant(ACTION_THREAD, 'staging', served)];
    }
    case 'prune': {
      const { action, reason, runs } = event;
      const nodes = runs.reduce((sum, { count }) => sum + count, 0);
      return [instant(HISTORY_THREAD, action, { reason, nodes, runs })];
    }
    case 'session':
      return [instant(HISTORY_THREAD, 'session', { title: event.title, config: event.config })];
    case 'hide': {
      const { title, documentId, hidden } = event;
      return [instant(HISTORY_THREAD, `${hidden ? 'hide' : 'show'} ${title}`, { documentId })];
    }
    case 'gist':
    case 'score':
      // Their stages are durations already; the scores are in the refocus counters.
      return [];
    default:
      event satisfies never;
      return [];
  }
}

/** A stage is reported when it ends; a duration event begins where it began. */
function duration({ stage, ms, timeMs, step }: TelemetryEventOf<'latency'>): ChromeEvent {
  const ts = microseconds(timeMs - ms);
  const dur = Math.max(0, microseconds(timeMs) - ts);
  return {
    name: stage,
    ph: 'X',
    ts,
    dur: Number(dur.toFixed(3)),
    pid: PROCESS,
    tid: STAGE_THREADS[stage],
    cat: 'stage',
    args: { step },
  };
}

function counters(event: TelemetryEventOf<'refocus'>): readonly ChromeEvent[] {
  const { timeMs, usedTokens, budgetTokens, swapRate, utilisation, meanResidency, entryCount, cursor } =
    event;
  const named = (name: string) => (event.head === 0 ? name : `${name}, head ${event.head}`);
  return [
    counter(timeMs, named('budget use'), { usedTokens, freeTokens: Math.max(0, budgetTokens - usedTokens) }),
    counter(timeMs, named('utilisation'), { share: utilisation }),
    counter(timeMs, named('swap rate'), { perEntry: swapRate }),
    counter(timeMs, named('mean residency'), { steps: meanResidency }),
    counter(timeMs, named('entries'), { count: entryCount }),
    ...(event.head === 0 ? [counter(timeMs, 'history', { tokens: cursor })] : []),
  ];
}

function counter(timeMs: number, name: string, args: Readonly<Record<string, number>>): ChromeEvent {
  return { name, ph: 'C', ts: microseconds(timeMs), pid: PROCESS, tid: 0, args };
}

function actionName({ kind, lod, toLod, applied }: ActionRecord): string {
  const isMove = kind === 'expand' || kind === 'collapse';
  const move = isMove ? `${kind} to LOD${toLod}` : `${kind} LOD${lod}`;
  return applied ? move : `refused: ${move}`;
}

function actionArgs(action: ActionRecord): ChromeEvent['args'] {
  const { lod, start, end, score, rank, costDelta, reason, pass, missingTokens, cooldownLeft, paidBy } =
    action;
  return { lod, start, end, score, rank, costDelta, reason, pass, missingTokens, cooldownLeft, paidBy };
}

/** Nanosecond resolution: more digits only make the file longer. */
function microseconds(ms: number): number {
  return Number((Math.max(0, ms) * 1000).toFixed(3));
}
