/** Opens a session: a new one, or one that storage gives back, its missing gists recomputed. */
import { type RunConfig, applyConfigChanges } from '../../core/trace/config.ts';
import { withoutRuns } from '../../core/tree/node-runs.ts';
import type { GistSource, GistTree } from '../../core/tree/gist-tree.ts';
import { StorageError } from '../../storage/ports.ts';
import type { SessionHandle, SessionRecord, StoredSession } from '../../storage/ports.ts';
import type { Notice } from './protocol/protocol.ts';
import { yieldToEvents } from '../../base/clock.ts';
import { emptyFocus } from '../session/head/multi-head-focus.ts';
import type { SessionOptions } from '../session/steps/session-options.ts';
import type { SessionNotice } from '../session/messages/session-messages.ts';
import { Session } from '../session/session.ts';
import { hiddenAfter } from '../session/memory/hidden-documents.ts';
import { toWireError } from '../session/messages/errors.ts';
import { GistBuilder } from '../session/memory/gist-builder.ts';
import { Memory } from '../session/memory/memory.ts';
import { withKnownWeights } from '../session/head/lens-variant.ts';
import {
  CheckpointError,
  restoreFocus,
  restoreIndex,
  restoreTree,
  type RestoredTree,
  withholdCold,
} from '../session/journal/session-restore.ts';
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
  return new Session({ ...partsOf(around, record.id), handle, record, focus: emptyFocus(around.model) });
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
  let stored = await handle.load({ fromCheckpoint: true });
  const source = (tree: GistTree): GistSource => storedGists(handle, tree, around);
  let restored: RestoredTree;
  const notes: string[] = [];
  try {
    restored = restoreTree(stored, model, source);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    notes.push(error.message);
    stored = await handle.load();
    restored = restoreTree(stored, model, source);
  }
  const isOtherNet = stored.record.modelHash !== model.hash;
  if ((isOtherNet || restored.tree.pendingGistCount > 0) && stored.cold.some(({ lod }) => lod > 0)) {
    // Gists are made from those below them; zeros stand where these are in the cold tier.
    stored = await handle.load({ whole: true });
    restored = restoreTree(stored, model, source);
  }
  const { tree } = restored;
  const damage = [...stored.damage, ...notes, ...restored.damage];
  const { config, note } = withKnownWeights(model, applyConfigChanges(around.defaults, stored.record.config));
  if (note !== null) damage.push(note);
  const gistsStored = Array.from({ length: tree.maxLod + 1 }, (_, level) => tree.countAt(level));
  // Beside old gists new ones are made step by step, when the session is open.
  if (!isOtherNet) await rebuildGists(tree, around);
  const renewed = isOtherNet ? stored.cold.filter(({ lod }) => lod > 0) : [];
  withholdCold(tree, withoutRuns(stored.cold, renewed));
  const session = new Session({
    ...partsOf(around, stored.record.id),
    handle,
    record: { ...stored.record, modelHash: model.hash, config },
    focus: {
      ...restoreFocus(stored, tree, config, damage),
      index: (isOtherNet ? null : restoreIndex(stored, damage)) ?? undefined,
    },
    resumed: {
      timeMs: stored.events.at(-1)?.timeMs ?? 0,
      chat: stored.chat,
      marks: stored.marks,
      hidden: hiddenAfter(stored.events),
      gistsStored,
      hasPending: stored.pending.length > 0,
      standing: {
        eventCount: stored.eventCount,
        events: stored.events,
        sinceCheckpoint: stored.eventCount - (stored.checkpoint?.eventCount ?? -Infinity),
        columns: restored.columns,
      },
    },
  });
  session.steps.queue.takeUp(stored.pending, around.clock.wallClockMs());
  if (isOtherNet && !handle.readOnly) {
    session.steps.broughtBack(renewed);
    if (tree.staleGistCount === 0) session.steps.patch({ modelHash: model.hash });
  }
  return { session, stored, damage };
}

/** Gists that were left out of memory: read from storage, or computed again where they are damaged there. */
function storedGists(
  handle: SessionHandle,
  tree: GistTree,
  { model, notify }: SessionSurroundings,
): GistSource {
  return async (run) => {
    const bits = await handle.readGists(run);
    if (bits !== null) return bits;
    const { first, count } = run;
    notify({
      kind: 'problem',
      error: toWireError(
        new StorageError(
          'damaged',
          `LOD1 gists ${first} to ${first + count - 1} are damaged in storage.`,
          'They were computed again from their tokens; nothing needs to be done.',
        ),
      ),
    });
    return new GistBuilder(tree, model.gistNet, model.base).fromTokens(first, count);
  };
}

/** Recompute the gists that storage did not give back, with progress. */
async function rebuildGists(tree: GistTree, around: SessionSurroundings): Promise<void> {
  const total = tree.pendingGistCount;
  if (total === 0) return;
  const memory = new Memory(tree, around.model, new TelemetryRecorder(around.clock));
  await memory.makeGists(0, async (done) => {
    around.notify({ kind: 'progress', task: 'rebuild', label: 'Recomputing gists', done, total });
    await yieldToEvents();
  });
}

function partsOf({ model, backend, clock, notify }: SessionSurroundings, sessionId: string) {
  return {
    model,
    backend,
    clock,
    notify: (notice: SessionNotice) => {
      notify({ ...notice, sessionId });
    },
  };
}
