/** Moves the playhead while playing: the only clock of playback. */
import { BASE_FRAMES_PER_SECOND, followLive, usePlayback } from '../state/playback-store.ts';

/** Starts the clock; returns a function that stops it. */
export function startPlaybackClock(): () => void {
  let pending = 0;
  let lastMs = 0;
  let carried = 0;

  const tick = (nowMs: number) => {
    const { playing, speed, index, count } = usePlayback.getState();
    if (!playing) {
      pending = 0;
      return;
    }
    carried += ((nowMs - lastMs) / 1000) * BASE_FRAMES_PER_SECOND * speed;
    lastMs = nowMs;
    const whole = Math.floor(carried);
    carried -= whole;
    if (index + whole >= count - 1) {
      followLive();
      pending = 0;
      return;
    }
    if (whole > 0) usePlayback.setState({ index: index + whole });
    pending = requestAnimationFrame(tick);
  };

  const stop = usePlayback.subscribe(({ playing }) => {
    if (!playing || pending) return;
    carried = 0;
    lastMs = performance.now();
    pending = requestAnimationFrame(tick);
  });
  return () => {
    stop();
    cancelAnimationFrame(pending);
  };
}
