/** What was typed and pasted to be added to the history and is not added yet; it outlasts the panel. */
import { type StoreApi, createStore } from 'zustand';

export interface TextDraftState {
  readonly typed: string;
  /** Long texts that were pasted, in order: a field that holds one freezes the page. */
  readonly pasted: readonly { readonly id: number; readonly text: string }[];
}

export type TextDraft = StoreApi<TextDraftState>;

/** From here on a pasted text is kept beside the field; UTF-16 units. */
export const LONG_PASTE = 32_768;

export function createTextDraft(): TextDraft {
  return createStore<TextDraftState>()(() => ({ typed: '', pasted: [] }));
}

/** Keep a pasted text if it is long. @returns false if it belongs into the field. */
export function keepLongPaste(draft: TextDraft, text: string): boolean {
  if (text.length < LONG_PASTE) return false;
  draft.setState(({ pasted }) => ({ pasted: [...pasted, { id: (pasted.at(-1)?.id ?? 0) + 1, text }] }));
  return true;
}

/** Let a pasted text go: it was added, or taken back. */
export function dropPaste(draft: TextDraft, id: number): void {
  draft.setState(({ pasted }) => ({ pasted: pasted.filter((each) => each.id !== id) }));
}
