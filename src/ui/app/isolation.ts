/**
 * Cross-origin isolation, without which browsers let no threads share memory. Hosts that send its headers need nothing;
 * on others a service worker (`public/isolation-worker.js`) adds them, from the load after its first.
 */

/** What is used of the page's global object. */
export interface IsolationSurroundings {
  readonly crossOriginIsolated?: boolean;
  readonly isSecureContext?: boolean;
  readonly navigator: { readonly serviceWorker?: ServiceWorkers | undefined };
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly location: Pick<Location, 'reload'>;
  readonly setTimeout: (run: () => void, ms: number) => unknown;
}

interface ServiceWorkers {
  register(address: string): Promise<unknown>;
  /** Once one is active. */
  readonly ready: Promise<unknown>;
}

const ADDRESS = './isolation-worker.js';
/** Of this tab: the page was loaded again for isolation. */
const MARK = 'megacontext-playground.isolation-tried';
/** Longer nobody waits for the page: the next visit is isolated then. */
const PATIENCE_MS = 2500;

/**
 * Isolate the page where its host does not. Loads it again at most once in a row: where that does not help, it goes on
 * as it is.
 *
 * @returns whether the page is being loaded again, so that nothing should be started.
 */
export async function isolate(page: IsolationSurroundings): Promise<boolean> {
  try {
    if (page.crossOriginIsolated === true) {
      page.sessionStorage.removeItem(MARK);
      return false;
    }
    const { serviceWorker } = page.navigator;
    if (page.isSecureContext !== true || serviceWorker === undefined) return false;
    // Where nothing can be remembered, this throws, and nothing is loaded again.
    if (page.sessionStorage.getItem(MARK) !== null) return false;
    const isActive = serviceWorker
      .register(ADDRESS)
      .then(() => serviceWorker.ready)
      .then(() => true);
    const isLate = new Promise<boolean>((resolve) => {
      page.setTimeout(() => {
        resolve(false);
      }, PATIENCE_MS);
    });
    if (!(await Promise.race([isActive, isLate]))) return false;
    page.sessionStorage.setItem(MARK, 'yes');
    page.location.reload();
    return true;
  } catch {
    // A browser that refuses service workers or storage: one thread does the work, and the badge says why.
    return false;
  }
}
