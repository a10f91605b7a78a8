/** How many threads the WASM kernels get, and why. Pure. */
import type { ThreadReport } from '../ports.ts';

/** 'auto', or a number that was chosen by hand. */
export type ThreadPreference = 'auto' | number;

/** More than these share a layer of a small base badly; a larger one is better off on a graphics card. */
const MOST_AUTOMATIC = 4;

/**
 * @param processors - that the device has, threads of one core counted each: half of them are cores.
 * @param canShare - whether threads may share memory: in a browser, whether the page is cross-origin isolated.
 */
export function planThreads(
  preference: ThreadPreference,
  processors: number,
  canShare: boolean,
): ThreadReport {
  if (preference === 1) return oneThread('that was chosen by hand');
  if (!canShare)
    return oneThread('the page is not cross-origin isolated, without which none may share memory');
  if (preference !== 'auto') {
    return { count: preference, reason: `${preference} threads share the work, as was chosen by hand.` };
  }
  const count = Math.min(MOST_AUTOMATIC, Math.floor(processors / 2));
  const has = `the device has ${processors === 1 ? 'one processor' : `${processors} processors`}`;
  if (count < 2) return oneThread(`${has}, and the page needs one too`);
  return { count, reason: `${count} threads share the work: ${has}.` };
}

/** @param why - goes on behind "because". */
export function oneThread(why: string): ThreadReport {
  return { count: 1, reason: `One thread does the work because ${why}.` };
}
