/** Lets one asynchronous piece of work through at a time, in the order of arrival. */

export class AsyncMutex {
  private last: Promise<unknown> = Promise.resolve();

  /** Run `work` once everything that came before it has ended, well or badly. */
  runExclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work, work);
    this.last = result.catch(() => undefined);
    return result;
  }
}
