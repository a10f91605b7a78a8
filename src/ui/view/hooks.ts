/** The page's model as React reads it: the instances that are provided, and slices of their stores. */
import { useStore } from 'zustand';
import type { Commands } from '../commands/commands.ts';
import type { KeyboardLabels } from '../commands/keyboard-labels.ts';
import { chordWords } from '../commands/keymap.ts';
import type { ConversationState } from '../model/conversation.ts';
import type { ExampleState } from '../model/example.ts';
import type { FirstMinuteState } from '../model/first-minute.ts';
import type { Model } from '../model/model.ts';
import type { PlayheadState } from '../model/playhead.ts';
import type { RecordingState } from '../model/recordings.ts';
import type { RunView } from '../model/run-view.ts';
import type { SessionFacts } from '../model/session.ts';
import type { ShellState } from '../model/shell.ts';
import type { SteeringState } from '../model/steering.ts';
import type { TracksState } from '../model/tracks.ts';
import type { ViewportState } from '../model/viewport.ts';
import { createInstanceContext } from './instance-context.ts';

export const [ModelContext, useModel] = createInstanceContext<Model>('model');
export const [CommandsContext, useCommands] = createInstanceContext<Commands>('command registry');
/** The view of a run in which a component stands: the page's, or one side of a comparison. */
export const [RunViewContext, useRunView] = createInstanceContext<RunView>('view of a run');

export const [KeyboardContext, useKeyboard] = createInstanceContext<KeyboardLabels>('keyboard');

/** Says a chord as the user's own keyboard has it. */
export function useChordWords(): (chord: string) => string[] {
  const labels = useStore(useKeyboard().store, (state) => state.labels);
  return (chord) => chordWords(chord, labels);
}

type Selector<S, T> = (state: S) => T;

export function useSession<T>(selector: Selector<SessionFacts, T>): T {
  return useStore(useModel().mirror, selector);
}

export function useConversation<T>(selector: Selector<ConversationState, T>): T {
  return useStore(useModel().conversation, selector);
}

export function useSteering<T>(selector: Selector<SteeringState, T>): T {
  return useStore(useModel().steering.store, selector);
}

export function useRecording<T>(selector: Selector<RecordingState, T>): T {
  return useStore(useModel().recordings.store, selector);
}

export function useExample<T>(selector: Selector<ExampleState, T>): T {
  return useStore(useModel().example, selector);
}

export function useFirstMinute<T>(selector: Selector<FirstMinuteState, T>): T {
  return useStore(useModel().firstMinute, selector);
}

export function useShell<T>(selector: Selector<ShellState, T>): T {
  return useStore(useModel().shell, selector);
}

export function usePlayhead<T>(selector: Selector<PlayheadState, T>): T {
  return useStore(useRunView().playhead.store, selector);
}

export function useViewport<T>(selector: Selector<ViewportState, T>): T {
  return useStore(useRunView().viewport.store, selector);
}

export function useTracks<T>(selector: Selector<TracksState, T>): T {
  return useStore(useRunView().tracks.store, selector);
}
