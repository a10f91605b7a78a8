/**
 * Follows a recorded run to what the allocator held at its end: layout, residency, drift, cooldowns. The records of
 * the actions go through the functions that the live run went through, so that a session read back goes on with the
 * same moves; where a frame holds the allocator's state, that is taken.
 */
import { DraftLayout } from '../context/draft-layout.ts';
import { askedScores } from './asked-scores.ts';
import { carriedTo } from './between-refocuses.ts';
import { ageLayout, emptyLayout, extendLayout } from '../context/working-context.ts';
import type { Layout } from '../context/working-context.ts';
import { layoutFromEntries, redo } from '../trace/action-replay.ts';
import type { RefocusEvent } from '../trace/frame-index.ts';
import { applyLayoutFrame } from '../trace/layout-delta.ts';
import type { ActionRecord, LayoutEntry } from '../trace/telemetry.ts';
import { INITIAL_ALLOCATOR_STATE, beginRefocus, stateAfter, withCost } from './pass/allocator-state.ts';
import type { AllocatorConfig, AllocatorState } from './pass/allocator-state.ts';

export class AllocatorReplay {
  private current = emptyLayout();
  private state: AllocatorState = INITIAL_ALLOCATOR_STATE;
  private lastScores: Float32Array | null = null;
  /** The layout of the last frame, as frames are encoded against it. */
  private recorded: readonly LayoutEntry[] = [];

  /** @param config - the parameters in force; set it when they change. */
  constructor(public config: AllocatorConfig) {}

  /** The working context now, residencies included. */
  get layout(): Layout {
    return this.current;
  }

  get allocator(): AllocatorState {
    return this.state;
  }

  /**
   * `[entries]` what the last refocus gave the entries that it left, as one without refinement carries them over, and
   * as they were carried on since; null where it did not record its scores.
   */
  get scores(): Float32Array | null {
    return this.lastScores;
  }

  /** What the last refocus left, where its frame does not say it. @param scores - `[entries]`; of another length they are none. */
  carry(scores: Float32Array): void {
    if (scores.length === this.current.entries.length) this.lastScores = scores;
  }

  /** The history reaches up to `cursor`. */
  extend(cursor: number): void {
    if (cursor <= this.current.cursor) return;
    this.state = withCost(this.state, cursor - this.current.cursor);
    this.current = extendLayout(this.current, cursor);
    if (this.lastScores !== null) this.lastScores = carriedTo(this.current, this.lastScores);
  }

  /** What was forced between two refocuses. */
  act(action: ActionRecord): void {
    this.state = stateAfter(this.state, [action], this.config);
    const moved = after(this.current, [action], this.lastScores);
    this.current = moved.layout;
    this.lastScores = moved.scores;
  }

  /**
   * A refocus, or a move by hand.
   *
   * @throws {LayoutDeltaError} if the frame does not fit the one before it.
   */
  accept(event: RefocusEvent): void {
    const entries = applyLayoutFrame(this.recorded, event.layout);
    this.recorded = entries;
    this.extend(event.cursor);
    const isByHand = event.trigger === 'manual' && event.scores.length === 0 && event.entryCount > 0;
    const begun = isByHand ? this.state : beginRefocus(this.state, this.config);
    const { drift, netCost, cooldowns } = stateAfter(
      { ...begun, step: event.step },
      event.actions,
      this.config,
    );
    const state = { step: event.step, drift, netCost, actionsTaken: 0, cooldowns };
    this.state = event.thresholds === undefined ? state : { ...state, thresholds: event.thresholds };
    const aged = ageLayout(this.current);
    const isScored = event.scores.length === aged.entries.length;
    const scores = isScored ? askedScores(aged, Float32Array.from(event.scores), begun, this.config) : null;
    const moved = after(aged, event.actions, scores);
    // Old traces do not say what a violation rolled back.
    const isWhole = isSame(moved.layout, entries);
    this.current = isWhole ? moved.layout : layoutFromEntries(entries);
    this.lastScores = isWhole ? moved.scores : null;
    if (event.allocator !== undefined) this.adopt(event.allocator);
  }

  private adopt(recorded: NonNullable<RefocusEvent['allocator']>): void {
    const { drift, netCost, residency } = recorded;
    const cooldowns = recorded.cooldowns.map(([lod, start, step, kind]) => ({ lod, start, step, kind }));
    this.state = { ...this.state, drift, netCost, cooldowns };
    if (residency.length === this.current.entries.length) {
      this.current = { ...this.current, residency: Uint32Array.from(residency) };
    }
  }
}

/** The layout after the applied ones of these actions, and the scores that its entries then have. */
function after(
  layout: Layout,
  actions: readonly ActionRecord[],
  scores: Float32Array | null = null,
): { readonly layout: Layout; readonly scores: Float32Array | null } {
  const applied = actions.filter((action) => action.applied);
  if (applied.length === 0) return { layout, scores };
  const draft = new DraftLayout(layout, scores);
  for (const action of applied) redo(draft, action);
  return { layout: draft.toLayout(), scores: scores && draft.toScores() };
}

function isSame({ entries }: Layout, recorded: readonly LayoutEntry[]): boolean {
  return (
    entries.length === recorded.length &&
    entries.every(({ lod, start, end }, i) => {
      const other = recorded[i]!;
      return lod === other[0] && start === other[1] && end === other[2];
    })
  );
}
