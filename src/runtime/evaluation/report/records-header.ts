/** The first line of a records file. Pure. */
import {
  RECORDS_FORMAT,
  RECORDS_VERSION,
  type RecordsHeader,
} from '../../../core/question-records/record.ts';
import { TRACE_VERSION } from '../../../core/trace/telemetry.ts';

/** @returns the line, with its end. */
export function recordsHeader(about: Omit<RecordsHeader, 'format' | 'version' | 'traceVersion'>): string {
  const header: RecordsHeader = {
    format: RECORDS_FORMAT,
    version: RECORDS_VERSION,
    traceVersion: TRACE_VERSION,
    ...about,
  };
  return `${JSON.stringify(header)}\n`;
}
