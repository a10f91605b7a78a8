/** Finds frames by how long the history was: cursors never fall from one refocus to the next. */
import type { RunFrames } from './shown-run.ts';

/** The first frame that was made when the history had at least so many tokens; as many as there are frames if none. */
export function firstFrameAt(run: Pick<RunFrames, 'frameCount' | 'frameAt'>, tokens: number): number {
  let low = 0;
  let high = run.frameCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.frameAt(middle)!.cursor < tokens) low = middle + 1;
    else high = middle;
  }
  return low;
}
