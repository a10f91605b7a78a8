/** What a trace says about the session, the model and the parameters from one step on. */
import type { RunConfig } from '../../../core/trace/config.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { SessionRecord } from '../../../storage/ports.ts';

export type SessionEvent = TelemetryEventOf<'session'>;

interface AnnouncedSession {
  readonly model: Pick<LoadedModel, 'id' | 'hash'>;
  readonly record: Pick<SessionRecord, 'id' | 'title'>;
  /** The parameters in force. */
  readonly config: RunConfig;
  readonly backend: string;
}

/** @param lensMark - names the weights of a LensNet other than the model's own; the model's hash then says so. */
export function sessionEvent(
  base: Pick<SessionEvent, 'step' | 'timeMs'>,
  { model, record: { id, title }, config, backend }: AnnouncedSession,
  lensMark: string | null,
): SessionEvent {
  return {
    ...base,
    type: 'session',
    sessionId: id,
    title,
    modelId: model.id,
    modelHash: lensMark === null ? model.hash : `${model.hash}+lensnet-${lensMark}`,
    backend,
    config,
  };
}

/** Whether two announcements differ in nothing but when they were made, and of which copy of the session. */
export function saysTheSame(a: SessionEvent, b: SessionEvent): boolean {
  const sameFacts = (['title', 'modelId', 'modelHash', 'backend'] as const).every((key) => a[key] === b[key]);
  return (
    sameFacts && (Object.keys(b.config) as (keyof RunConfig)[]).every((id) => a.config[id] === b.config[id])
  );
}
