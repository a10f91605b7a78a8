/**
 * Replays recorded refocus frames to find what the engine kept in memory: residency, node counters, drift and
 * cooldowns. It repeats the live run's arithmetic, so that a session read back goes on with the same moves.
 */
import type { AllocatorState, Cooldown } from '../../../core/allocator/focus-allocator.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/focus-allocator.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { RefocusEvent } from '../../../core/trace/frame-index.ts';
import { type Lod, spanIdOf, tokensPerEntry } from '../../../core/tree/ids.ts';
import type { SpanId } from '../../../core/tree/ids.ts';
import { LayoutDeltaError, applyLayoutFrame } from '../../../core/trace/layout-delta.ts';
import type { LayoutEntry, TelemetryEvent, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { entryAt, layoutOf } from '../../../core/context/working-context.ts';
import type { Layout } from '../../../core/context/working-context.ts';

export interface ReplayedFrames {
  readonly layout: Layout;
  readonly allocator: AllocatorState;
}

/** @returns null when no frame was recorded or the frames do not fit each other. */
export function replayFrames(
  events: readonly TelemetryEvent[],
  tree: GistTree,
  config: RunConfig,
): ReplayedFrames | null {
  const replay = new FrameReplay(tree, config);
  try {
    for (const event of events) {
      if (event.type === 'session') replay.config = event.config;
      else if (event.type === 'refocus') replay.accept(event);
      else if (event.type === 'action') replay.acceptBetween(event);
      else if (event.type === 'sensitivity') replay.noteSensitivity(event);
    }
  } catch (error) {
    if (error instanceof LayoutDeltaError) return null;
    throw error;
  }
  return replay.result();
}

class FrameReplay {
  private entries: readonly LayoutEntry[] = [];
  private residency = new Uint32Array(0);
  private state = INITIAL_ALLOCATOR_STATE;
  private cursor = 0;
  private usedTokens = 0;
  private hasFrames = false;
  private readonly cooldowns = new Map<SpanId, Cooldown>();

  constructor(
    private readonly tree: GistTree,
    public config: RunConfig,
  ) {}

  accept(event: RefocusEvent): void {
    const before = this.entries;
    this.entries = applyLayoutFrame(before, event.layout);
    this.residency = this.agedResidency(before, event);
    this.followAllocator(event);
    this.countInTree(event);
    this.cursor = event.cursor;
    this.usedTokens = event.usedTokens;
    this.hasFrames = true;
  }

  /** What was forced between two frames; the next frame's layout shows it. */
  acceptBetween({ step, action }: TelemetryEventOf<'action'>): void {
    if (!action.applied) return;
    const { kind, lod, start, costDelta } = action;
    this.state = { ...this.state, netCost: this.state.netCost + costDelta };
    this.usedTokens += costDelta;
    if (kind === 'evict' || kind === 'readmit') return;
    const span = spanIdOf(lod, start);
    this.cooldowns.set(span, { span, step, kind });
  }

  noteSensitivity({ lod, start, deltaNll }: TelemetryEventOf<'sensitivity'>): void {
    if (lod > this.tree.maxLod) return;
    const { sensitivity } = this.tree.metadata(lod);
    const row = start / tokensPerEntry(lod);
    if (row < sensitivity.length) sensitivity.set(row, deltaNll);
  }

  result(): ReplayedFrames | null {
    if (!this.hasFrames) return null;
    const entries = this.entries.map(([lod, start, end]) => entryAt(lod as Lod, start, end));
    const cooldowns = [...this.cooldowns.values()];
    return { layout: layoutOf(entries, this.residency), allocator: { ...this.state, cooldowns } };
  }

  /** Entries that were there stay one step longer, those made by this step's actions begin at 0. */
  private agedResidency(before: readonly LayoutEntry[], event: RefocusEvent): Uint32Array<ArrayBuffer> {
    const applied = event.actions.filter((action) => action.applied && action.kind !== 'evict');
    const residency = new Uint32Array(this.entries.length);
    let old = 0;
    this.entries.forEach(([lod, start, end], i) => {
      while (old < before.length && before[old]![1] < start) old++;
      const same = before[old];
      const isNew = applied.some(
        (action) => action.toLod === lod && action.start <= start && end <= action.end,
      );
      if (same !== undefined && same[1] === start && same[0] === lod && !isNew) {
        residency[i] = this.residency[old]! + 1;
      } else residency[i] = isNew ? 0 : 1;
    });
    return residency;
  }

  private followAllocator(event: RefocusEvent): void {
    const isByHand = event.trigger === 'manual' && event.scores.length === 0 && event.entryCount > 0;
    let { drift, netCost } = this.state;
    netCost += event.cursor - this.cursor;
    const usedWhenBegun = this.usedTokens + event.cursor - this.cursor;
    if (!isByHand) {
      drift = this.config.driftDecay * drift + (1 - this.config.driftDecay) * netCost;
      netCost = 0;
    }
    netCost += event.usedTokens - usedWhenBegun;
    for (const [span, { step }] of this.cooldowns) {
      if (step + this.config.cooldownSteps < event.step) this.cooldowns.delete(span);
    }
    for (const { applied, kind, lod, start } of event.actions) {
      if (!applied || kind === 'evict' || kind === 'readmit') continue;
      const span = spanIdOf(lod, start);
      this.cooldowns.set(span, { span, step: event.step, kind });
    }
    const { step, thresholds } = event;
    const state = { step, drift, netCost, actionsTaken: 0, cooldowns: [] };
    this.state = thresholds === undefined ? state : { ...state, thresholds };
  }

  private countInTree(event: RefocusEvent): void {
    const { tree } = this;
    this.entries.forEach(([lod, start], i) => {
      const row = start / tokensPerEntry(lod);
      if (lod > tree.maxLod || row >= tree.metadata(lod).length) return;
      tree.metadata(lod).recordAccess(row, event.step, this.residency[i]!);
    });
    for (const { applied, kind, lod, start } of event.actions) {
      if (!applied || kind === 'evict' || kind === 'readmit' || lod > tree.maxLod) continue;
      const columns = tree.metadata(lod);
      const row = start / tokensPerEntry(lod);
      if (row >= columns.length) continue;
      const column = kind === 'expand' ? columns.expansions : columns.collapses;
      column.set(row, column.get(row) + 1);
    }
  }
}
