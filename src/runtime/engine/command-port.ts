/** The worker's side of the wire: validates messages, answers each command once. Works with any transport. */
import { IN_WORDS } from '../../base/schema-words.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { EngineError, toWireError } from '../session/messages/errors.ts';
import type { Engine } from './engine.ts';
import type { NoticeBatcher } from './notice-batcher.ts';
import { type FromWorker, toWorkerSchema } from './protocol/protocol.ts';

/** What a page reads of a message in one task. */
const EVENTS_PER_MESSAGE = 256;

/** The result, without its events if they are many: they cross before it, in messages of their own. */
function sendEventsAhead(result: unknown, id: number, send: (message: FromWorker) => void): unknown {
  if (!hasEvents(result) || result.events.length <= EVENTS_PER_MESSAGE) return result;
  const { events } = result;
  for (let from = 0; from < events.length; from += EVENTS_PER_MESSAGE) {
    send({ type: 'events', id, events: events.slice(from, from + EVENTS_PER_MESSAGE) });
  }
  return { ...result, events: [] };
}

function hasEvents(result: unknown): result is { readonly events: readonly TelemetryEvent[] } {
  return typeof result === 'object' && result !== null && 'events' in result && Array.isArray(result.events);
}

/** The id of a message that may be nothing of the kind; -1 when it has none. */
function idOf(message: unknown): number {
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : null;
  return typeof id === 'number' ? id : -1;
}

/**
 * Answer one message. Never rejects: what goes wrong becomes a reply that says so.
 *
 * @param message - untrusted.
 */
export async function answerMessage(
  message: unknown,
  engine: Engine,
  notices: NoticeBatcher,
  send: (message: FromWorker) => void,
): Promise<void> {
  const id = idOf(message);
  try {
    const parsed = toWorkerSchema.safeParse(message, IN_WORDS);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = issue?.path.join('.') ?? 'message';
      throw new EngineError(
        'bad-message',
        `The command was not understood: ${where}: ${issue?.message ?? 'invalid'}.`,
      );
    }
    const result = await engine.handle(parsed.data.command);
    notices.flush();
    send({ type: 'reply', id, ok: true, result: sendEventsAhead(result, id, send) });
  } catch (error) {
    notices.flush();
    send({ type: 'reply', id, ok: false, error: toWireError(error) });
  }
}
