/** Reports that come too often, passed on at a pace: the first at once, and the last of each pause at its end. */

export interface PacedReports<T> {
  tell(report: T): void;
  /** What still waits is passed on; nothing is afterwards. */
  end(): void;
}

/** @param pass - gets one report in `everyMs` at most, and never misses the newest. */
export function paceReports<T>(everyMs: number, pass: (report: T) => void): PacedReports<T> {
  let waiting: { readonly report: T } | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const passWaiting = (): void => {
    timer = null;
    if (waiting === null) return;
    const { report } = waiting;
    waiting = null;
    timer = setTimeout(passWaiting, everyMs);
    pass(report);
  };
  return {
    tell: (report) => {
      waiting = { report };
      if (timer === null) passWaiting();
    },
    end: () => {
      if (timer !== null) clearTimeout(timer);
      passWaiting();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
