/** The worker's side of the wire: validates messages, answers each command once. Works with any transport. */
import { IN_WORDS } from '../../base/schema-words.ts';
import { EngineError, toWireError } from '../session/messages/errors.ts';
import type { Engine } from './engine.ts';
import type { NoticeBatcher } from './notice-batcher.ts';
import { type FromWorker, toWorkerSchema } from './protocol/protocol.ts';

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
    send({ type: 'reply', id, ok: true, result });
  } catch (error) {
    notices.flush();
    send({ type: 'reply', id, ok: false, error: toWireError(error) });
  }
}
