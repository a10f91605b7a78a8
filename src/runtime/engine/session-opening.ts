/** Opens a session: a new one, or one that storage gives back, its missing gists recomputed. */
import { INITIAL_ALLOCATOR_STATE } from '../../core/allocator/pass/allocator-state.ts';
import { type RunConfig, applyConfigChanges } from '../../core/trace/config.ts';
import type { Lod } from '../../core/tree/ids.ts';
import { GistTree } from '../../core/tree/gist-tree.ts';
import { emptyLayout } from '../../core/context/working-context.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import type { SessionHandle, SessionRecord, StoredSession } from '../../storage/ports.ts';
import type { Notice } from './protocol/protocol.ts';
import { yieldToEvents } from '../../base/clock.ts';
import type { SessionOptions } from '../session/steps/session-options.ts';
import { Session } from '../session/session.ts';
import { FocusLoop } from '../session/head/head.ts';
import { withKnownLens } from '../session/head/lens-variant.ts';
import { restoreMemory, restoreTree } from '../session/journal/session-restore.ts';
import { TelemetryRecorder } from '../session/telemetry/telemetry-recorder.ts';

/** What every session of a page shares. */
export interface SessionSurroundings extends Pick<SessionOptions, 'model' | 'backend' | 'clock'> {
  readonly notify: (notice: Notice) => void;
  /** Parameters that the stored ones are laid over. */
  readonly defaults: RunConfig;
}

/** A session in which nothing has been said yet. */
export function emptySession(
  handle: SessionHandle,
  record: SessionRecord,
  around: SessionSurroundings,
): Session {
  const memory = startingMemory(emptyTree(around.model));
  return new Session({ ...partsOf(around), handle, record, memory });
}

/**
 * A stored session, as it stood, with what was queued. What could not be read is in `damage`.
 *
 * @throws {EngineError} if the session was made with gists of another size.
 */
export async function storedSession(
  handle: SessionHandle,
  around: SessionSurroundings,
): Promise<{ readonly session: Session; readonly stored: StoredSession; readonly damage: string[] }> {
  const { model } = around;
  const stored = await handle.load();
  const restored = restoreTree(stored, model);
  const { tree } = restored;
  const damage = [...stored.damage, ...restored.damage];
  const { config, note } = withKnownLens(model, applyConfigChanges(around.defaults, stored.record.config));
  if (note !== null) damage.push(note);
  const gistsStored = Array.from({ length: tree.maxLod + 1 }, (_, level) => tree.countAt(level));
  await rebuildGists(tree, config, around);
  const session = new Session({
    ...partsOf(around),
    handle,
    record: { ...stored.record, modelHash: model.hash, config },
    memory: restoreMemory(stored, tree, config, damage),
    resumed: {
      timeMs: stored.events.at(-1)?.timeMs ?? 0,
      chat: stored.chat,
      marks: stored.marks,
      gistsStored,
      hasPending: stored.pending !== null,
    },
  });
  if (stored.pending !== null) {
    const { ids, ingested, role, title, documentId } = stored.pending;
    const wallClockMs = around.clock.wallClockMs();
    session.queue.add(ids, { role, title, documentId, wallClockMs }, ingested);
  }
  return { session, stored, damage };
}

/** Recompute the gists that storage did not give back, with progress. */
async function rebuildGists(tree: GistTree, config: RunConfig, around: SessionSurroundings): Promise<void> {
  const total = tree.pendingGistCount;
  if (total === 0) return;
  const recorder = new TelemetryRecorder(around.clock);
  const loop = new FocusLoop(startingMemory(tree), around.model, recorder, config);
  await loop.makeGists(async (done) => {
    around.notify({ kind: 'progress', task: 'rebuild', label: 'Recomputing gists', done, total });
    await yieldToEvents();
  });
}

function emptyTree({ base, manifest, gistNet }: LoadedModel): GistTree {
  return new GistTree({
    hiddenSize: base.hiddenSize,
    maxLod: manifest.maxLod as Lod,
    gistVersion: gistNet.version,
  });
}

function startingMemory(tree: GistTree): SessionOptions['memory'] {
  return { tree, layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE };
}

function partsOf({ model, backend, clock, notify }: SessionSurroundings) {
  return { model, backend, clock, notify };
}
