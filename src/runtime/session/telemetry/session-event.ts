/** What a trace says about the session, the model and the parameters from one step on. */
import type { RunConfig } from '../../../core/trace/config.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { SessionState } from '../messages/session-messages.ts';

interface AnnouncedSession {
  readonly model: Pick<LoadedModel, 'id' | 'hash'>;
  readonly state: Pick<SessionState, 'record'>;
  /** The parameters in force. */
  readonly activeConfig: RunConfig;
}

/** @param lensMark - names the weights of a LensNet other than the model's own; the model's hash then says so. */
export function sessionEvent(
  base: Pick<TelemetryEventOf<'session'>, 'step' | 'timeMs'>,
  { model, state, activeConfig }: AnnouncedSession,
  lensMark: string | null,
  backend: string,
): TelemetryEventOf<'session'> {
  const { id, title } = state.record;
  return {
    ...base,
    type: 'session',
    sessionId: id,
    title,
    modelId: model.id,
    modelHash: lensMark === null ? model.hash : `${model.hash}+lensnet-${lensMark}`,
    backend,
    config: activeConfig,
  };
}
