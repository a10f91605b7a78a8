/** Who may write a session: one lock a session, held as long as its writer lives. */

/** Gives a lock back. Safe to call twice. */
export type ReleaseLock = () => void;

/** The port: Web Locks in a browser, a set of names elsewhere. */
export interface SessionLocks {
  /** Resolves at once: the release function, or null when someone else holds the lock. */
  tryAcquire(name: string): Promise<ReleaseLock | null>;
}

/** Locks that the browser frees when the tab, worker or renderer that holds them dies. */
export function createWebLocks(manager: LockManager): SessionLocks {
  return {
    tryAcquire: (name) =>
      new Promise((resolve, reject) => {
        manager
          .request(name, { mode: 'exclusive', ifAvailable: true }, (lock) => {
            if (lock === null) {
              resolve(null);
              return undefined;
            }
            return new Promise<void>((release) => {
              resolve(() => {
                release();
              });
            });
          })
          .catch(reject);
      }),
  };
}

/** Locks between the stores of one thread, for places without Web Locks. Another process is not kept out. */
export function createProcessLocks(): SessionLocks {
  const held = new Set<string>();
  return {
    tryAcquire: (name) => {
      if (held.has(name)) return Promise.resolve(null);
      held.add(name);
      let released = false;
      return Promise.resolve(() => {
        if (!released) held.delete(name);
        released = true;
      });
    },
  };
}

const threadLocks = createProcessLocks();

/** Web Locks where the platform has them (secure pages do), otherwise locks of this thread. */
export function defaultLocks(): SessionLocks {
  const manager = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  return manager === undefined ? threadLocks : createWebLocks(manager);
}
