/** The words that a session's chat is written with: its model's template, and what its parameters say instead. */
import { ConfigError, type RunConfig } from '../../../core/trace/config.ts';
import { NO_SYSTEM_TEXT } from '../../../core/parameters/chat.ts';
import { CHAT_OPENING, type ProvenanceRun } from '../../../core/tree/provenance.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K } from '../../../core/tree/ids.ts';
import type { PinnedSpan } from '../../../core/context/working-context.ts';
import { type ChatPieces, fixedChat, PLAIN_CHAT } from '../../../nn/model-folder/chat-pieces.ts';
import type { LoadedModel } from '../../../nn/ports.ts';

type ChatConfig = Pick<RunConfig, 'promptFormat' | 'systemText' | 'stopTexts'>;

/** Plain text that the base completes, whatever its template; what ends an answer of the model's own ends it too. */
function completionFor(chat: LoadedModel['chat']): LoadedModel['chat'] {
  const stop = [...new Set([...PLAIN_CHAT.stop, ...chat.pieces().stop])];
  return fixedChat({ ...PLAIN_CHAT, stop });
}

/** @throws {ConfigError} if the model's template takes no system text. */
export function chatWords({ chat }: Pick<LoadedModel, 'chat'>, config: ChatConfig): ChatPieces {
  const stop = stopTextsOf(config.stopTexts);
  const template = config.promptFormat === 'completion' ? completionFor(chat) : chat;
  const pieces = piecesFor(template, config.systemText);
  return stop.length === 0 ? pieces : { ...pieces, stop };
}

function piecesFor(chat: LoadedModel['chat'], systemText: string): ChatPieces {
  if (systemText === '') return chat.pieces();
  try {
    return chat.pieces(systemText === NO_SYSTEM_TEXT ? '' : systemText);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError('systemText', `systemText: ${why}.`);
  }
}

/**
 * The model as a configuration has it asked, for who reads the chat's pieces in its manifest; the caller's own model
 * stays the owner of everything.
 *
 * @throws {ConfigError} as `chatWords` does.
 */
export function withChatWords(model: LoadedModel, config: ChatConfig): LoadedModel {
  const { userPrefix, userSuffix, assistantPrefix, stop } = chatWords(model, config);
  const chat = { userPrefix, userSuffix, assistantPrefix, stop: [...stop] };
  return { ...model, manifest: { ...model.manifest, chat } };
}

/** One a line; `\n` stands for a line break within one. */
function stopTextsOf(lines: string): readonly string[] {
  return lines
    .split('\n')
    .map((line) => line.replaceAll('\\n', '\n'))
    .filter((text) => text !== '');
}

/** The newest opening, which is the one that holds, or undefined where none was written. */
function openingOf({ provenance }: Pick<GistTree, 'provenance'>): ProvenanceRun | undefined {
  return provenance.findLast(({ documentId }) => documentId === CHAT_OPENING);
}

/** What has to be written before the history goes on, so that its newest opening is the wanted one; often nothing. */
export function openingDue(
  tree: Pick<GistTree, 'provenance' | 'tokens'>,
  { tokenizer }: Pick<LoadedModel, 'tokenizer'>,
  { opening }: ChatPieces,
): Uint32Array {
  const wanted = tokenizer.encodeTemplate(opening);
  const written = openingOf(tree);
  const isWritten =
    written !== undefined &&
    written.end - written.start === wanted.length &&
    tree.tokens(written.start, written.end).every((id, at) => id === wanted[at]);
  return isWritten ? new Uint32Array(0) : wanted;
}

/** The blocks of the opening that holds: they stay raw. */
export function openingPins(tree: Pick<GistTree, 'provenance'>): readonly PinnedSpan[] {
  const opening = openingOf(tree);
  if (opening === undefined) return [];
  return [{ start: Math.floor(opening.start / K) * K, end: Math.ceil(opening.end / K) * K }];
}
