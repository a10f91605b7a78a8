/** Reads a session's recorded events back into what the engine kept in memory: working context, allocator, node counters. */
import { countInTree } from '../../../core/allocator/node-counters.ts';
import type { AllocatorState } from '../../../core/allocator/pass/allocator-state.ts';
import { AllocatorReplay } from '../../../core/allocator/replay.ts';
import { headConfig, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { LayoutDeltaError } from '../../../core/trace/layout-delta.ts';
import type { TelemetryEvent, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import type { SessionCheckpoint } from '../../../storage/ports.ts';

export interface ReplayedFrames {
  readonly layout: Layout;
  readonly allocator: AllocatorState;
  /** As `AllocatorReplay` has them. */
  readonly scores: Float32Array | null;
}

/**
 * @param head - whose frames.
 * @param checkpoint - what the first events come from; the tree's nodes have counted them already.
 * @returns null when none was recorded or the frames do not fit each other.
 */
export function replayFrames(
  events: readonly TelemetryEvent[],
  tree: GistTree,
  config: RunConfig,
  head: number,
  checkpoint?: Pick<SessionCheckpoint, 'events' | 'carried'>,
): ReplayedFrames | null {
  const replay = new AllocatorReplay(config);
  const counted = checkpoint?.events.length ?? 0;
  const carried = checkpoint?.carried?.find(([of]) => of === head)?.[1];
  let hasFrames = false;
  try {
    for (const [at, event] of events.entries()) {
      if (event.type === 'session') replay.config = ownConfig(event.config, head);
      else if (event.type === 'ingest') replay.extend(Math.min(event.end, tree.tokenCount));
      else if (event.type === 'action' && event.head === head) replay.act(event.action);
      else if (event.type === 'sensitivity') noteSensitivity(tree, event);
      else if (event.type === 'refocus' && event.head === head) {
        replay.accept(event);
        if (at >= counted) countInTree(tree, replay.layout, event.actions, event.step);
        else if (carried !== undefined) replay.carry(Float32Array.from(carried));
        hasFrames = true;
      }
    }
  } catch (error) {
    if (error instanceof LayoutDeltaError) return null;
    throw error;
  }
  const { layout, allocator, scores } = replay;
  return hasFrames ? { layout, allocator, scores } : null;
}

/** Of a head that the session had then; of one that came later, the run's. */
function ownConfig(config: RunConfig, head: number): RunConfig {
  return head === STAGING_HEAD || head < config.heads ? headConfig(config, head) : config;
}

function noteSensitivity(tree: GistTree, { lod, start, deltaNll }: TelemetryEventOf<'sensitivity'>): void {
  if (lod > tree.maxLod) return;
  const { sensitivity } = tree.metadata(lod);
  const row = start / tokensPerEntry(lod);
  if (row < sensitivity.length) sensitivity.set(row, deltaNll);
}
