/** The one run that the page shows: the open session's, or a recording in front of it. */
import { setFrameCount } from './playback-store.ts';
import { RunTrace } from './run-trace.ts';

export const currentRun = new RunTrace();

/** Where the open session's events go: the shown run, or the one that a recording stands in front of. */
let live = currentRun;

currentRun.subscribe(() => {
  setFrameCount(currentRun.frameCount);
});

export function liveRun(): RunTrace {
  return live;
}

/** Show a recording; the session's run goes on behind it. The trace given is taken over. */
export function showInFront(recorded: RunTrace): void {
  showLiveRun();
  currentRun.swapWith(recorded);
  live = recorded;
}

/** Show the session's run again. */
export function showLiveRun(): void {
  if (live === currentRun) return;
  currentRun.swapWith(live);
  live = currentRun;
}
