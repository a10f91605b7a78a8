/** Events as the bytes of rows: UTF-8 JSON, one event a line. */
import { concatBytes } from '../../base/bytes.ts';
import { ROW_BYTES } from './rows.ts';
import type { Piece } from './rows.ts';

/** The events in pieces of at most `ROW_BYTES`; a longer event is a piece of its own. */
export function encodeEvents(events: readonly object[]): Piece[] {
  const encoder = new TextEncoder();
  const pieces: Piece[] = [];
  let lines: Uint8Array[] = [];
  let byteLength = 0;
  const flush = () => {
    if (lines.length > 0) pieces.push({ count: lines.length, bytes: concatBytes(lines) });
    lines = [];
    byteLength = 0;
  };
  for (const event of events) {
    const line = encoder.encode(`${JSON.stringify(event)}\n`);
    if (byteLength + line.length > ROW_BYTES) flush();
    lines.push(line);
    byteLength += line.length;
  }
  flush();
  return pieces;
}

/** The events of one intact row. */
export function decodeEvents(bytes: Uint8Array): object[] {
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as object);
}
