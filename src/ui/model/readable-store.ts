/** A store seen by those who may not write it. */
import type { StoreApi } from 'zustand';

export type ReadableStore<T> = Pick<StoreApi<T>, 'getState' | 'getInitialState' | 'subscribe'>;
