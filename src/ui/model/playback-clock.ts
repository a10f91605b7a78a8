/** Moves the playhead while playing: the only clock of playback. */
import { BASE_FRAMES_PER_SECOND, advanced, followLive, usePlayback } from './playback-store.ts';

/** Starts the clock; returns a function that stops it. */
export function startPlaybackClock(): () => void {
  let pending = 0;
  let lastMs = 0;
  let carried = 0;

  const tick = (nowMs: number) => {
    const playback = usePlayback.getState();
    if (!playback.playing) {
      pending = 0;
      return;
    }
    // The first frame's time may lie before the moment at which playing began.
    const elapsedMs = Math.max(0, nowMs - lastMs);
    carried += (elapsedMs / 1000) * BASE_FRAMES_PER_SECOND * playback.speed;
    lastMs = Math.max(lastMs, nowMs);
    const whole = Math.floor(carried);
    carried -= whole;
    const index = advanced(playback, whole);
    if (index === null) {
      followLive();
      pending = 0;
      return;
    }
    if (index !== playback.index) usePlayback.setState({ index });
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
