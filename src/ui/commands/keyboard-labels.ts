/** What the user's own keyboard writes on its keys: told by the browser where it tells, and learned from key presses. */
import { createStore } from 'zustand';
import type { ReadableStore } from '../model/readable-store.ts';

/** Chromium's own; other browsers have none. */
export interface LayoutMapSource {
  readonly keyboard?: { getLayoutMap(): Promise<Iterable<readonly [string, string]>> };
}

interface Press {
  readonly code: string;
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

interface KeyboardLabelsState {
  /** By `KeyboardEvent.code`; empty while nothing is known. */
  readonly labels: ReadonlyMap<string, string>;
  /** The browser told of all keys; else only those are known that were pressed. */
  readonly isComplete: boolean;
}

export class KeyboardLabels {
  readonly #store = createStore<KeyboardLabelsState>()(() => ({ labels: new Map(), isComplete: false }));

  get store(): ReadableStore<KeyboardLabelsState> {
    return this.#store;
  }

  /** Ask the browser. Never throws: it may have no answer, or forbid the question. */
  async ask(source: LayoutMapSource): Promise<void> {
    try {
      const told = await source.keyboard?.getLayoutMap();
      const labels = new Map(told);
      if (labels.size > 0) this.#store.setState({ labels, isComplete: true });
    } catch {
      // Learned from key presses then.
    }
  }

  /** Take in what a key wrote, which also tells of a layout that was switched meanwhile. */
  learn({ code, key, shiftKey, ctrlKey, metaKey, altKey }: Press): void {
    if (shiftKey || ctrlKey || metaKey || altKey || code === '' || Array.from(key).length !== 1) return;
    const label = key.toLowerCase();
    const { labels } = this.#store.getState();
    if (labels.get(code) === label) return;
    this.#store.setState({ labels: new Map([...labels, [code, label]]) });
  }
}
