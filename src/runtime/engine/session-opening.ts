/** Opens a session: a new one, or one that storage gives back, its missing gists recomputed. */
import { type RunConfig, applyConfigChanges } from '../../core/trace/config.ts';
import { withoutRuns } from '../../core/tree/node-runs.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import type { SessionHandle, SessionRecord, StoredSession } from '../../storage/ports.ts';
import type { Notice } from './protocol/protocol.ts';
import { yieldToEvents } from '../../base/clock.ts';
import { emptyFocus } from '../session/head/multi-head-focus.ts';
import type { SessionOptions } from '../session/steps/session-options.ts';
import type { SessionNotice } from '../session/messages/session-messages.ts';
import { Session } from '../session/session.ts';
import { hiddenAfter } from '../session/memory/hidden-documents.ts';
import { Memory } from '../session/memory/memory.ts';
import { withKnownWeights } from '../session/head/lens-variant.ts';
import { restoreFocus, restoreTree, withholdCold } from '../session/journal/session-restore.ts';
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
  let stored = await handle.load();
  let restored = restoreTree(stored, model);
  if (restored.tree.pendingGistCount > 0 && stored.cold.some(({ lod }) => lod > 0)) {
    // Gists are made from those below them; zeros stand where these are in the cold tier.
    stored = await handle.load({ whole: true });
    restored = restoreTree(stored, model);
  }
  const { tree } = restored;
  const damage = [...stored.damage, ...restored.damage];
  const { config, note } = withKnownWeights(model, applyConfigChanges(around.defaults, stored.record.config));
  if (note !== null) damage.push(note);
  const gistsStored = Array.from({ length: tree.maxLod + 1 }, (_, level) => tree.countAt(level));
  await rebuildGists(tree, around);
  const isOtherNet = stored.record.modelHash !== model.hash;
  const renewed = isOtherNet ? stored.cold.filter(({ lod }) => lod > 0) : [];
  withholdCold(tree, withoutRuns(stored.cold, renewed));
  const session = new Session({
    ...partsOf(around, stored.record.id),
    handle,
    record: { ...stored.record, modelHash: model.hash, config },
    focus: restoreFocus(stored, tree, config, damage),
    resumed: {
      timeMs: stored.events.at(-1)?.timeMs ?? 0,
      chat: stored.chat,
      marks: stored.marks,
      hidden: hiddenAfter(stored.events),
      gistsStored,
      hasPending: stored.pending.length > 0,
    },
  });
  session.steps.queue.takeUp(stored.pending, around.clock.wallClockMs());
  if (isOtherNet && !handle.readOnly) session.steps.gistsRenewed(model.hash, renewed);
  return { session, stored, damage };
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
