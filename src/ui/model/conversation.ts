/** The conversation, the answer being streamed, and what the user has typed and not sent. */
import { type StoreApi, createStore } from 'zustand';
import type { ChatMessageRecord } from '../../runtime/engine/protocol/protocol.ts';
import type { NoticeHandlers } from './engine-link.ts';

/** A generated token and the refocus step in which it was produced. */
export interface StreamedToken {
  readonly text: string;
  readonly tokenIndex: number;
  readonly step: number;
}

export interface ConversationState {
  readonly messages: readonly ChatMessageRecord[];
  readonly streaming: { readonly messageId: string | null; readonly tokens: readonly StreamedToken[] } | null;
  readonly draft: string;
  /** Set until the answer's end, so that buttons can say why they are disabled. */
  readonly asking: boolean;
}

export type Conversation = StoreApi<ConversationState>;

/** An empty conversation that fills from the engine's notices. */
export function createConversation(notices: NoticeHandlers): Conversation {
  const conversation = createStore<ConversationState>()(() => ({
    messages: [],
    streaming: null,
    draft: '',
    asking: false,
  }));
  notices.on('chat', ({ message }) => {
    putMessage(conversation, message);
  });
  notices.on('answerText', ({ messageId, delta, index, step }) => {
    conversation.setState(({ streaming }) => ({
      streaming: {
        messageId,
        tokens: [...(streaming?.tokens ?? []), { text: delta, tokenIndex: index, step }],
      },
    }));
  });
  return conversation;
}

/** Add a message or replace the one with its id. */
export function putMessage(conversation: Conversation, message: ChatMessageRecord): void {
  conversation.setState(({ messages }) => {
    const at = messages.findIndex(({ id }) => id === message.id);
    return { messages: at < 0 ? [...messages, message] : messages.with(at, message) };
  });
}
