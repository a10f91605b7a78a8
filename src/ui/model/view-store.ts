/** What the timeline shows: zoom, colour mode, selection and hover. The renderer subscribes; React reads slices. */
import { create } from 'zustand';
import type { StepWindow } from '../features/timeline/step-axis.ts';
import { type TokenWindow, fitTokens } from '../features/timeline/token-axis.ts';

/** A block of the history at one level of detail. */
export interface BlockRef {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
}

/** A generated token that is looked at: its frame is shown instead of the playhead's. */
interface Peek {
  readonly index: number;
  readonly position: number;
  /** It stays after the pointer has left: it was clicked, tapped or reached by keyboard. */
  readonly held: boolean;
}

interface ViewStore {
  readonly tokens: TokenWindow;
  /** The token window grows with the history until the user zooms or pans. */
  readonly autoTokens: boolean;
  readonly steps: StepWindow;
  /** The step window keeps the playhead in view until the user scrolls. */
  readonly autoSteps: boolean;
  readonly colourBy: 'lod' | 'score';
  readonly tableOpen: boolean;
  readonly selection: BlockRef | null;
  readonly peek: Peek | null;
}

export const useView = create<ViewStore>()(() => ({
  tokens: fitTokens(0),
  autoTokens: true,
  steps: { top: 0, rowHeight: 8 },
  autoSteps: true,
  colourBy: 'lod',
  tableOpen: false,
  selection: null,
  peek: null,
}));
