/** The frame that the page shows now, told once per animation frame to whoever writes it into the document. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { usePlayback } from './playback-store.ts';
import { useView } from './view-store.ts';
import { currentRun } from './current-run.ts';
import type { Frame } from './frame.ts';

/** The playhead's frame, or the one peeked at. */
export function shownIndex(): number {
  return useView.getState().peek?.index ?? usePlayback.getState().index;
}

function subscribeAll(listener: () => void): () => void {
  const stops = [
    usePlayback.subscribe(listener),
    useView.subscribe(listener),
    currentRun.subscribe(listener),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Calls `write` with the shown frame at most once per animation frame, outside React's rendering. */
export function useShownFrame(write: (frame: Frame | undefined) => void): void {
  const latest = useRef(write);
  useEffect(() => {
    latest.current = write;
  });
  useEffect(() => {
    let pending = 0;
    const run = () => {
      pending = 0;
      latest.current(currentRun.frameAt(shownIndex()));
    };
    const stop = subscribeAll(() => {
      pending ||= requestAnimationFrame(run);
    });
    run();
    return () => {
      stop();
      cancelAnimationFrame(pending);
    };
  }, []);
}

const SLOW_MS = 300;

/** The shown index for React views, at most a few times a second. */
export function useShownIndexSlowly(): number {
  return useSyncExternalStore(subscribeSlowly, shownIndex);
}

function subscribeSlowly(listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = subscribeAll(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      listener();
    }, SLOW_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
