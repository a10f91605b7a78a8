/** The preset whose story the open session tells, and what to watch in it now. */
import { create } from 'zustand';
import type { Preset } from './presets.ts';

interface PresetStore {
  /** The session made for it; the story is told only while that one is open. */
  readonly sessionId: string | null;
  readonly preset: Preset | null;
  readonly watch: string;
  /** Set once the text has been read and until it is asked. */
  readonly question: string | null;
}

export const usePreset = create<PresetStore>()(() => ({
  sessionId: null,
  preset: null,
  watch: '',
  question: null,
}));
