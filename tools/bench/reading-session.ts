/** A new session of a store that reads as fast as it can, gists and storage included. Runs in a page and under Node. */
import { systemClock } from '../../src/base/clock.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import type { Provenance } from '../../src/core/tree/provenance.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { emptySession } from '../../src/runtime/engine/session-opening.ts';
import type { Session } from '../../src/runtime/session/session.ts';
import type { SessionHandle, SessionStore } from '../../src/storage/ports.ts';

export interface ReadingSession {
  readonly handle: SessionHandle;
  readonly session: Session;
  /** Read tokens to their end. @throws {Error} the first problem that the session told of. */
  readonly read: (ids: Uint32Array, origin: Provenance) => Promise<void>;
}

export async function beginReading(
  store: SessionStore,
  model: LoadedModel,
  title: string,
  config: RunConfig,
): Promise<ReadingSession> {
  const fields = { title, createdAt: 0, modelId: model.id, modelHash: model.hash, config };
  const handle = await store.create(fields);
  const record = { ...fields, id: handle.id, updatedAt: 0, tokenCount: 0, stepCount: 0 };
  const failures: string[] = [];
  const session = emptySession(handle, record, {
    model,
    backend: 'bench',
    clock: systemClock,
    defaults: config,
    notify: (notice) => {
      if (notice.kind === 'problem') failures.push(notice.error.message);
    },
  });
  const { steps } = session;
  steps.announce();
  return {
    handle,
    session,
    read: async (ids, origin) => {
      steps.queue.add(ids, origin);
      while (steps.queue.pendingTokens > 0) {
        await steps.exclusive(() => steps.readOn(false));
        await steps.storeIfDue();
        if (failures.length > 0) throw new Error(failures[0]);
      }
    },
  };
}
