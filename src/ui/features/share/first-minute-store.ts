/** Whether the recorded example of a first visit is playing, and whether the user took hold of it. */
import { create } from 'zustand';

export const useFirstMinute = create<{ readonly playing: boolean; readonly touched: boolean }>()(() => ({
  playing: false,
  touched: false,
}));
