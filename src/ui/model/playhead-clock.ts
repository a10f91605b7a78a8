/** Moves a playhead while it plays: the only clock of playback. */
import { BASE_FRAMES_PER_SECOND, type Playhead } from './playhead.ts';

/** Starts the clock; returns a function that stops it. */
export function startPlayheadClock(playhead: Playhead): () => void {
  let pending = 0;
  let lastMs = 0;
  let carried = 0;

  const tick = (nowMs: number) => {
    pending = 0;
    const { playing, speed } = playhead.state;
    if (!playing) return;
    // The first frame's time may lie before the moment at which playing began.
    const elapsedMs = Math.max(0, nowMs - lastMs);
    carried += (elapsedMs / 1000) * BASE_FRAMES_PER_SECOND * speed;
    lastMs = Math.max(lastMs, nowMs);
    const whole = Math.floor(carried);
    carried -= whole;
    // Whoever listens to the playhead must not start a second clock while this one runs.
    pending = -1;
    const plays = playhead.playOn(whole);
    pending = plays ? requestAnimationFrame(tick) : 0;
  };

  const stop = playhead.store.subscribe(({ playing }) => {
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
