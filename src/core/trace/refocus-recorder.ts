/** Turns refocus results into telemetry events: a keyframe now and then, deltas between. */
import type { Violation } from '../context/invariants.ts';
import { windowStart } from '../context/working-context.ts';
import type { Layout } from '../context/working-context.ts';
import { KEYFRAME_INTERVAL } from './frame-index.ts';
import type { RefocusEvent } from './frame-index.ts';
import { keyframe, layoutDelta, toLayoutEntries } from './layout-delta.ts';
import type { StepMetrics } from './metrics.ts';
import type { ActionRecord, AllocatorRecord, LayoutEntry, TelemetryEvent } from './telemetry.ts';

/** What one refocus, or one move by hand, came to. */
export interface RefocusOutcome {
  readonly step: number;
  /** After the actions. */
  readonly layout: Layout;
  /** `[entries of the layout that was scored first]`; empty where nothing was scored. */
  readonly scores: Float32Array;
  readonly actions: readonly ActionRecord[];
  readonly metrics: StepMetrics;
  readonly violations: readonly Violation[];
  /** True if a violation rolled the step back and recency rebuilt the working context. */
  readonly rebuilt: boolean;
  readonly stagesMs: { readonly score: number; readonly allocate: number };
  /** What the allocator carries on to the next refocus. */
  readonly state: {
    readonly drift: number;
    readonly netCost: number;
    readonly cooldowns: readonly {
      readonly lod: number;
      readonly start: number;
      readonly step: number;
      readonly kind: 'expand' | 'collapse';
    }[];
    readonly thresholds?: RefocusEvent['thresholds'];
  };
}

export interface RecordOptions {
  readonly head: number;
  readonly policy: string;
  readonly budgetTokens: number;
  readonly trigger: RefocusEvent['trigger'];
  /** Milliseconds since the run's start. */
  readonly timeMs: number;
}

/** Keeps the last recorded layout, so that every frame is encoded against the one before it in the trace. */
export class RefocusRecorder {
  private last: readonly LayoutEntry[] | null = null;
  private sinceKeyframe = 0;

  /** The events of one refocus, in order: score, latencies, violations, evictions, readmissions, and last the refocus frame. */
  record(result: RefocusOutcome, options: RecordOptions): readonly TelemetryEvent[] {
    const base = { step: result.step, timeMs: options.timeMs, head: options.head };
    const events: TelemetryEvent[] = [];
    if (result.scores.length > 0) {
      events.push({
        ...base,
        type: 'score',
        cursor: result.layout.cursor,
        policy: options.policy,
        ...summary(result.scores),
      });
    }
    events.push({ ...base, type: 'latency', stage: 'score', ms: result.stagesMs.score });
    events.push({ ...base, type: 'latency', stage: 'allocate', ms: result.stagesMs.allocate });
    for (const { check, message } of result.violations) {
      events.push({ ...base, type: 'violation', check, message, action: 'rolled-back' });
    }
    for (const { applied, kind, lod, start, end } of result.actions) {
      if (applied && (kind === 'evict' || kind === 'readmit'))
        events.push({ ...base, type: kind, lod, start, end });
    }
    events.push(this.frame(result, options));
    return events;
  }

  private frame(result: RefocusOutcome, options: RecordOptions): RefocusEvent {
    const { layout, metrics, state } = result;
    const encoded = this.encode(toLayoutEntries(layout.entries));
    // Nothing in the actions says what a rebuilt context holds, so a replay starts there, too.
    const isStart = encoded.kind === 'keyframe' || result.rebuilt;
    return {
      type: 'refocus',
      head: options.head,
      step: result.step,
      timeMs: options.timeMs,
      cursor: layout.cursor,
      policy: options.policy,
      windowStart: windowStart(layout),
      usedTokens: metrics.usedTokens,
      budgetTokens: options.budgetTokens,
      entryCount: metrics.entryCount,
      layout: encoded,
      scores: Array.from(result.scores),
      actions: [...result.actions],
      swapRate: metrics.swapRate,
      utilisation: metrics.utilisation,
      meanResidency: metrics.meanResidency,
      coherence: metrics.coherence,
      trigger: options.trigger,
      ...(state.thresholds === undefined ? {} : { thresholds: state.thresholds }),
      ...(isStart ? { allocator: allocatorRecord(result) } : {}),
    };
  }

  private encode(entries: LayoutEntry[]): RefocusEvent['layout'] {
    const isKeyframe = this.last === null || this.sinceKeyframe >= KEYFRAME_INTERVAL - 1;
    const frame = isKeyframe ? keyframe(entries) : layoutDelta(this.last ?? [], entries);
    this.sinceKeyframe = isKeyframe ? 0 : this.sinceKeyframe + 1;
    this.last = entries;
    return frame;
  }
}

/** What a replay goes on from behind this layout. */
export function allocatorRecord({
  state,
  layout,
}: Pick<RefocusOutcome, 'state' | 'layout'>): AllocatorRecord {
  const { drift, netCost, cooldowns } = state;
  return {
    drift,
    netCost,
    cooldowns: cooldowns.map(({ lod, start, step, kind }) => [lod, start, step, kind]),
    residency: Array.from(layout.residency),
  };
}

function summary(scores: Float32Array): {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
} {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (const score of scores) {
    min = Math.min(min, score);
    max = Math.max(max, score);
    sum += score;
  }
  return { min, mean: sum / scores.length, max };
}
