/** The one run that the page shows. */
import { setFrameCount } from '../state/playback-store.ts';
import { RunTrace } from './run-trace.ts';

export const currentRun = new RunTrace();

currentRun.subscribe(() => {
  setFrameCount(currentRun.frameCount);
});
