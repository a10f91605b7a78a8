/** A log of a chat as one text to be read: its messages in order, each with its own role, name and time. */
import type { ImportedMessage } from '../../../core/history-import/history-format.ts';
import { type Provenance, importedMessageId } from '../../../core/tree/provenance.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import { IntakeError, acceptText } from './text-intake.ts';

/** The next `tokens` of a text are of this origin. */
export interface TextPart {
  readonly tokens: number;
  readonly origin: Provenance;
}

interface HistoryText {
  readonly ids: Uint32Array;
  readonly parts: readonly TextPart[];
  /** Messages that are no text, such as a tool's binary output. */
  readonly leftOut: number;
}

/**
 * @param importId - names the whole log; every message gets an id of its own from it.
 * @param wallClockMs - of messages that say no time.
 * @throws {IntakeError} if no message is a text.
 */
export function encodeHistory(
  messages: readonly ImportedMessage[],
  tokenizer: Pick<Tokenizer, 'encode'>,
  { importId, wallClockMs }: { readonly importId: string; readonly wallClockMs: number },
): HistoryText {
  const parts: TextPart[] = [];
  const pieces: Uint32Array[] = [];
  let total = 0;
  for (const [index, { role, text, timeMs, label }] of messages.entries()) {
    const ids = encodeMessage(text, tokenizer);
    if (ids === null) continue;
    const origin = {
      role,
      title: `Message ${index + 1}, ${label ?? role}`,
      documentId: importedMessageId(importId, index),
      wallClockMs: timeMs ?? wallClockMs,
    };
    parts.push({ tokens: ids.length, origin });
    pieces.push(ids);
    total += ids.length;
  }
  if (total === 0) {
    throw new IntakeError('empty', 'No message of it is a text.', 'Choose a log with at least one word.');
  }
  const ids = new Uint32Array(total);
  let at = 0;
  for (const piece of pieces) {
    ids.set(piece, at);
    at += piece.length;
  }
  return { ids, parts, leftOut: messages.length - parts.length };
}

function encodeMessage(text: string, tokenizer: Pick<Tokenizer, 'encode'>): Uint32Array | null {
  try {
    return tokenizer.encode(`${acceptText(text)}\n`);
  } catch (error) {
    if (error instanceof IntakeError) return null;
    throw error;
  }
}
