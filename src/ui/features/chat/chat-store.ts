/** The conversation, the answer being streamed, and what the user has typed and not sent. */
import { create } from 'zustand';
import type { ChatMessageRecord } from '../../../runtime/engine/protocol/protocol.ts';

/** A generated token and the refocus step in which it was produced. */
export interface StreamedToken {
  readonly text: string;
  readonly position: number;
  readonly step: number;
}

interface ChatStore {
  readonly messages: readonly ChatMessageRecord[];
  readonly streaming: { readonly messageId: string | null; readonly tokens: readonly StreamedToken[] } | null;
  readonly draft: string;
  /** Set until the answer's end, so that buttons can say why they are disabled. */
  readonly asking: boolean;
}

export const useChat = create<ChatStore>()(() => ({
  messages: [],
  streaming: null,
  draft: '',
  asking: false,
}));

/** Add a message or replace the one with its id. */
export function upsertMessage(message: ChatMessageRecord): void {
  useChat.setState(({ messages }) => {
    const at = messages.findIndex(({ id }) => id === message.id);
    return { messages: at < 0 ? [...messages, message] : messages.with(at, message) };
  });
}
