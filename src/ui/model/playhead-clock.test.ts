/** Playing never moves the playhead back, whatever the time of the first animation frame. */
import { afterEach, expect, it, vi } from 'vitest';
import { Playhead } from './playhead.ts';
import { startPlayheadClock } from './playhead-clock.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it('begins at the first frame of a loop though that frame was timed before playing began', () => {
  let tick: (nowMs: number) => void = () => undefined;
  vi.stubGlobal('requestAnimationFrame', (callback: typeof tick) => {
    tick = callback;
    return 1;
  });
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
  vi.spyOn(performance, 'now').mockReturnValue(1000);
  const playhead = new Playhead();
  const stop = startPlayheadClock(playhead);
  playhead.setFrameCount(100);
  playhead.markRange(40, 50);
  playhead.seek(0);
  playhead.togglePlaying();
  const indices = [990, 1000, 1099, 1101].map((nowMs) => {
    tick(nowMs);
    return playhead.state.index;
  });
  expect(indices).toEqual([40, 40, 40, 41]);
  stop();
});
