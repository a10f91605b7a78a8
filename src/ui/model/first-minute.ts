/** Whether the recorded example of a first visit is playing, and whether the user took hold of it. */
import { type StoreApi, createStore } from 'zustand';

export interface FirstMinuteState {
  readonly playing: boolean;
  readonly touched: boolean;
}

export type FirstMinute = StoreApi<FirstMinuteState>;

export function createFirstMinute(): FirstMinute {
  return createStore<FirstMinuteState>()(() => ({ playing: false, touched: false }));
}
