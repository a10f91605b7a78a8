/** One question as a trace that plays on its own. Pure. */
import { TRACE_FORMAT } from '../trace/telemetry.ts';
import type { ReadQuestion, RecordsHeader } from './record.ts';

/** @returns the text of a trace file, in the version that the records were written in. */
export function traceOf(
  { trace }: Pick<ReadQuestion, 'trace'>,
  { traceVersion, createdAt, modelId, modelHash, backend, seed, config }: RecordsHeader,
): string {
  const header = {
    format: TRACE_FORMAT,
    version: traceVersion,
    createdAt,
    modelId,
    modelHash,
    backend,
    seed,
    config,
  };
  return [header, ...trace].map((line) => `${JSON.stringify(line)}\n`).join('');
}
