/** Which step of the tour is shown, and whether it was ever taken or dismissed. */
import { createStore } from 'zustand';
import type { Registry } from '../../commands/registry.ts';
import type { ReadableStore } from '../../model/readable-store.ts';

const STORAGE_KEY = 'megacontext-playground.tour';

interface TourState {
  /** Null while the tour is closed. */
  readonly step: number | null;
  readonly started: 'offered' | 'asked';
}

export class TourProgress {
  readonly #store = createStore<TourState>()(() => ({ step: null, started: 'asked' }));

  constructor({ commands }: Pick<Registry, 'commands'>) {
    commands.register({
      id: 'tour',
      title: 'Take the tour',
      group: 'Page',
      keys: [],
      run: () => {
        this.goTo(0);
      },
    });
  }

  get store(): ReadableStore<TourState> {
    return this.#store;
  }

  /** Show the first step to somebody who never saw it. The focus stays where it is. */
  offer(): void {
    if (localStorageItem() === null) this.#store.setState({ step: 0, started: 'offered' });
  }

  /** Show a step because the user asked for it. */
  goTo(step: number): void {
    this.#store.setState({ step, started: 'asked' });
  }

  /** Close the tour and remember that it was seen. */
  close(): void {
    this.#store.setState({ step: null });
    try {
      localStorage.setItem(STORAGE_KEY, 'seen');
    } catch {
      // Storage may be forbidden or full; the tour is then offered again.
    }
  }
}

function localStorageItem(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return 'unknown';
  }
}
