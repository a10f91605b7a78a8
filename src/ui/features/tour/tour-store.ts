/** Which step of the tour is shown, and whether it was ever taken or dismissed. */
import { create } from 'zustand';

const STORAGE_KEY = 'megacontext-playground.tour';

/** `step` is null while the tour is closed. */
export const useTour = create<{ readonly step: number | null; readonly started: 'offered' | 'asked' }>()(
  () => ({ step: null, started: 'asked' }),
);

/** Show the first step to somebody who never saw it. The focus stays where it is. */
export function offerTour(): void {
  if (localStorageItem() === null) useTour.setState({ step: 0, started: 'offered' });
}

export function startTour(): void {
  useTour.setState({ step: 0, started: 'asked' });
}

/** Close the tour and remember that it was seen. */
export function closeTour(): void {
  useTour.setState({ step: null });
  try {
    localStorage.setItem(STORAGE_KEY, 'seen');
  } catch {
    // Storage may be forbidden or full; the tour is then offered again.
  }
}

function localStorageItem(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return 'unknown';
  }
}
