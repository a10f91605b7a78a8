/** The parameters of the shown run: the recording's, else the open session's. */
import type { RunConfig } from '../../core/trace/config.ts';
import { useRecording, useSession } from './hooks.ts';

/** One parameter of the shown run; the fallback before there is a run. */
export function useShownParameter<Id extends keyof RunConfig>(
  id: Id,
  fallback: RunConfig[Id],
): RunConfig[Id] {
  const recorded = useRecording((state) => state.recording?.header.config[id]);
  const live = useSession((state) => state.session?.config[id]);
  return recorded ?? live ?? fallback;
}
