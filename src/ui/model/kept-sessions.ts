/**
 * Remembers beside the database that there were sessions in it. A browser that clears what pages stored, because the
 * disk is full or nobody came for weeks, clears databases and files, and may leave such small notes: so the page can
 * say what happened instead of beginning as if nothing had ever been there.
 */
import type { Problems } from './problems.ts';
import type { SessionMirror } from './session.ts';

const STORAGE_KEY = 'megacontext-playground.kept-sessions';

interface Parts {
  readonly mirror: SessionMirror;
  readonly problems: Problems;
}

/** @returns a function that ends it. */
export function watchForEviction({ mirror, problems }: Parts): () => void {
  let isFirstList = true;
  return mirror.subscribe(({ boot, sessions }, before) => {
    if (sessions === before.sessions || boot?.storage.kind !== 'indexeddb') return;
    const kept = isFirstList ? remembered() : 0;
    isFirstList = false;
    if (kept > 0 && sessions.length === 0) {
      const count = kept === 1 ? 'The session' : `The ${kept} sessions`;
      problems.report({
        title: 'The browser cleared what this page had stored',
        message: `${count} that this browser kept ${kept === 1 ? 'is' : 'are'} gone, and so are models that were fetched. Browsers do so when the disk is full, when a page was not visited for weeks, or when site data are cleared.`,
        kept: 'Sessions that you saved as files are not touched.',
        tryNext:
          'Open a saved session file from the session menu. To be safe, save sessions as files and free disk space.',
        tone: 'error',
      });
    }
    remember(sessions.length);
  });
}

function remembered(): number {
  try {
    const count = Number(localStorage.getItem(STORAGE_KEY));
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
}

function remember(count: number): void {
  try {
    localStorage.setItem(STORAGE_KEY, String(count));
  } catch {
    // Storage may be forbidden or full; then nothing is said of a loss.
  }
}
