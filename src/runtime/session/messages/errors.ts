/** Errors of the runtime, and how any error is put on the wire. Owns no behaviour beyond that. */
import { ConfigError } from '../../../core/trace/config.ts';
import { OracleLimitError } from '../../../core/policies/oracle.ts';
import { StorageError } from '../../../storage/ports.ts';
import type { WireError } from './wire-error.ts';

export type EngineErrorCode =
  | 'not-booted'
  | 'no-session'
  | 'read-only'
  | 'busy'
  | 'not-legal'
  | 'bad-span'
  | 'not-measurable'
  | 'bad-message'
  | 'model-mismatch'
  | 'bad-weights'
  | 'bad-archive'
  | 'stopped'
  | 'bad-model'
  | 'device-lost'
  | 'threads-lost'
  | 'worker-crashed';

/** An expected refusal of the engine: what happened, what was kept, what to try. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly code: EngineErrorCode,
    message: string,
    readonly kept = 'Nothing was changed.',
    readonly tryNext = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function noSession(): EngineError {
  return new EngineError(
    'no-session',
    'No session is open.',
    'Nothing was changed.',
    'Create a session or open one from the list.',
  );
}

export function readOnlySession(): EngineError {
  return new EngineError(
    'read-only',
    'This session is open for writing in another tab; here it can only be looked at.',
    'Nothing was changed.',
    'Close it in the other tab, then open it here again; or create a new session.',
  );
}

export function answerUnderWay(): EngineError {
  return new EngineError(
    'busy',
    'An answer is being decoded.',
    'The answer goes on.',
    'Stop it first, or wait until it is complete.',
  );
}

export function branchUnderWay(): EngineError {
  return new EngineError(
    'busy',
    'This branch is still replaying what its original did.',
    'The replay goes on.',
    'Stop it, or wait until it is done.',
  );
}

export function probeUnderWay(): EngineError {
  return new EngineError(
    'busy',
    'Another of your questions is being asked.',
    'It goes on.',
    'Wait until it is answered.',
  );
}

export function transferUnderWay(): EngineError {
  return new EngineError(
    'busy',
    'Another session file is being saved or read.',
    'It goes on.',
    'Stop it, or wait until it is done.',
  );
}

export function transferStopped(): EngineError {
  return new EngineError('stopped', 'The session file was stopped on its way.', 'Nothing of it was kept.');
}

/** An error that came over the wire, as a real error again. */
export class RemoteError extends Error implements WireError {
  override readonly name: string;
  readonly code: string;
  readonly kept: string;
  readonly tryNext: string;
  constructor(wire: WireError) {
    super(wire.message);
    this.name = wire.name;
    this.code = wire.code;
    this.kept = wire.kept;
    this.tryNext = wire.tryNext;
  }
}

const STORAGE_ADVICE: Readonly<Record<StorageError['code'], string>> = {
  unavailable: 'Leave private browsing or allow site data, then reload.',
  'not-found': 'Choose another session from the list.',
  'read-only': 'Close the other tab that has this session open, then open it here again.',
  quota: 'Export what you need, remove old sessions, then go on.',
  'newer-schema': 'Reload the page to get the newer version of the app.',
  blocked: 'Close the other tabs of this app.',
  closed: 'Reload the page.',
  damaged: 'Open the session again; what can be recomputed is.',
  failed: 'Try again; if it keeps failing, export the trace and reload.',
};

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Any thrown value as the four things that a person needs to know. Never throws. */
export function toWireError(error: unknown): WireError {
  if (error instanceof StorageError) {
    const { name, code, message, kept } = error;
    return { name, code, message, kept, tryNext: STORAGE_ADVICE[code] };
  }
  if (error instanceof ConfigError) {
    return {
      name: error.name,
      code: 'bad-parameter',
      message: error.message,
      kept: 'The parameters are as they were.',
      tryNext: `Choose another value for ${error.parameter}.`,
    };
  }
  if (error instanceof OracleLimitError) {
    return {
      name: error.name,
      code: 'not-measurable',
      message: error.message,
      kept: 'The history and the working context are as they were; nothing was scored.',
      tryNext: 'Lower the budget or choose another policy in the parameters, then run again.',
    };
  }
  if (error instanceof Error) {
    const details = error as Error & { code?: unknown; kept?: unknown; tryNext?: unknown };
    return {
      name: error.name,
      code: text(details.code) || 'failed',
      message: error.message,
      kept: text(details.kept),
      tryNext: text(details.tryNext),
    };
  }
  return { name: 'Error', code: 'failed', message: String(error), kept: '', tryNext: '' };
}
