/** Opens a session under Node, in memory only: what the headless tools stream histories through. */
import type { RunConfig } from '../src/core/trace/config.ts';
import { TRACE_FORMAT, TRACE_VERSION } from '../src/core/trace/telemetry.ts';
import type { TelemetryEvent, TraceHeader } from '../src/core/trace/telemetry.ts';
import type { LoadedModel } from '../src/nn/ports.ts';
import { systemClock } from '../src/base/clock.ts';
import { emptyFocus } from '../src/runtime/session/head/multi-head-focus.ts';
import { Session } from '../src/runtime/session/session.ts';
import type { SessionRecord } from '../src/storage/ports.ts';

interface HeadlessSession {
  readonly session: Session;
  readonly header: TraceHeader;
}

/**
 * @param model - borrowed; the caller disposes it after closing the session.
 * @param onEvents - called with every batch of telemetry; the run's opening event comes with `session.steps.announce()`.
 * @throws {Error} out of the engine's own calls when it reports a problem.
 */
export function openHeadlessSession(options: {
  readonly model: LoadedModel;
  readonly backend: string;
  readonly title: string;
  readonly config: RunConfig;
  readonly onEvents: (events: readonly TelemetryEvent[]) => void;
}): HeadlessSession {
  const { model, backend, title, config, onEvents } = options;
  const createdAt = Date.now();
  const record: SessionRecord = {
    id: 'headless' as SessionRecord['id'],
    title,
    createdAt,
    updatedAt: createdAt,
    modelId: model.id,
    modelHash: model.hash,
    tokenCount: 0,
    stepCount: 0,
    config,
  };
  const session = new Session({
    model,
    backend,
    handle: null,
    record,
    focus: emptyFocus(model),
    clock: systemClock,
    notify: (notice) => {
      if (notice.kind === 'problem') throw new Error(notice.error.message);
      if (notice.kind === 'telemetry') onEvents(notice.events);
    },
  });
  const header: TraceHeader = {
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    createdAt: new Date(createdAt).toISOString(),
    modelId: model.id,
    modelHash: model.hash,
    backend,
    seed: config.seed,
    config,
  };
  return { session, header };
}
