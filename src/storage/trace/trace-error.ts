/** Why a trace could not be read, where, and what of it was readable. */
import type { TelemetryEvent, TraceHeader } from '../../core/trace/telemetry.ts';

export type TraceErrorCode =
  | 'empty'
  | 'not-a-trace'
  | 'bad-header'
  | 'future-version'
  | 'unsupported-version'
  | 'bad-line'
  | 'bad-encoding'
  | 'line-too-long'
  | 'too-large'
  | 'damaged-gzip';

/** What came before the fault, valid as it stands. */
export interface KeptTrace {
  readonly header: TraceHeader | null;
  readonly events: readonly TelemetryEvent[];
}

export class TraceError extends Error {
  override readonly name = 'TraceError';
  constructor(
    readonly code: TraceErrorCode,
    /** Counted from 1; the header is line 1. */
    readonly line: number,
    message: string,
    readonly kept: KeptTrace = { header: null, events: [] },
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
