/** What a node is worth keeping, by its telemetry: how often it stood in the window, how long ago, what it changes. */
import type { NodeColumns } from '../node-columns.ts';

/** The parameters that pruning reads. */
export interface PruneRules {
  /** Refocuses since a node last stood in the window, or was made, before it may go. */
  readonly pruneIdleSteps: number;
  /** Refocuses after which an access counts half. */
  readonly pruneHalfLifeSteps: number;
  /** A node with more decayed accesses than this stays. */
  readonly pruneKeepAccesses: number;
  /** A node whose measured sensitivity is above this stays, nats/token. */
  readonly pruneMaxDeltaNll: number;
  /** Share of a level's nodes that may be cold. */
  readonly pruneMaxShare: number;
}

/** What the rules look at of one node, or of a group that goes together. */
export interface NodeUse {
  readonly idleSteps: number;
  /** Accesses, halved every `pruneHalfLifeSteps` since the last one. */
  readonly decayedAccesses: number;
  /** Measured ΔNLL of losing it, nats/token; null until measured. */
  readonly sensitivity: number | null;
}

/** @param step - the last refocus. */
export function useOf(columns: NodeColumns, row: number, step: number, rules: PruneRules): NodeUse {
  const { lastAccessStep, createdAtStep, accessCount, expansions, sensitivity } = columns.read(row, false);
  const idleSteps = Math.max(0, step - (lastAccessStep ?? createdAtStep));
  const decay = 2 ** (-idleSteps / rules.pruneHalfLifeSteps);
  return { idleSteps, decayedAccesses: (accessCount + expansions) * decay, sensitivity };
}

/** Nodes that go together: idle as the least idle of them, used as all of them, sensitive as the most sensitive. */
export function useOfGroup(uses: readonly NodeUse[]): NodeUse {
  const measured = uses.flatMap(({ sensitivity }) => sensitivity ?? []);
  return {
    idleSteps: Math.min(...uses.map(({ idleSteps }) => idleSteps)),
    decayedAccesses: uses.reduce((sum, use) => sum + use.decayedAccesses, 0),
    sensitivity: measured.length === 0 ? null : Math.max(...measured),
  };
}

/** Whether the telemetry lets it go. What was never measured is not held back by its sensitivity. */
export function mayGo({ idleSteps, decayedAccesses, sensitivity }: NodeUse, rules: PruneRules): boolean {
  return (
    idleSteps >= rules.pruneIdleSteps &&
    decayedAccesses <= rules.pruneKeepAccesses &&
    (sensitivity === null || sensitivity <= rules.pruneMaxDeltaNll)
  );
}

/** The lowest goes first: decayed accesses, and a measured sensitivity in units of the highest allowed. */
export function worth({ decayedAccesses, sensitivity }: NodeUse, rules: PruneRules): number {
  const allowed = Math.max(rules.pruneMaxDeltaNll, 1e-6);
  return decayedAccesses + Math.max(0, sensitivity ?? 0) / allowed;
}
