/** The frame that a view shows now, told once per animation frame to whoever writes it into the document. */
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import type { Frame } from '../model/frame.ts';
import { useRunView } from './hooks.ts';

/** Calls `write` with the shown frame at most once per animation frame, outside React's rendering. */
export function useShownFrame(write: (frame: Frame | undefined) => void): void {
  const view = useRunView();
  const latest = useRef(write);
  useEffect(() => {
    latest.current = write;
  });
  useEffect(() => {
    let pending = 0;
    const run = () => {
      pending = 0;
      latest.current(view.run.frameAt(view.shownIndex));
    };
    const stop = view.subscribe(() => {
      pending ||= requestAnimationFrame(run);
    });
    run();
    return () => {
      stop();
      cancelAnimationFrame(pending);
    };
  }, [view]);
}

const SLOW_MS = 300;

/** The shown index for React views, at most a few times a second. */
export function useShownIndexSlowly(slowMs = SLOW_MS): number {
  const view = useRunView();
  const subscribe = useCallback(
    (listener: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stop = view.subscribe(() => {
        timer ??= setTimeout(() => {
          timer = undefined;
          listener();
        }, slowMs);
      });
      return () => {
        stop();
        clearTimeout(timer);
      };
    },
    [view, slowMs],
  );
  return useSyncExternalStore(subscribe, () => view.shownIndex);
}
