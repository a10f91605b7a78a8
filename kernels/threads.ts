/** How the threads of one computation share its work and wait for each other. All run the same program in step. */

/** Where thread `thread` of `threads` begins among `count` items, in whole multiples. Ends where the next begins. */
export function shareStart(thread: i32, threads: i32, count: i32, multiple: i32): i32 {
  const units = (count + multiple - 1) / multiple;
  return min(count, ((units * thread) / threads) * multiple);
}

/** How often a thread looks before it sleeps: a few microseconds. */
const LOOKS = 4000;

/**
 * Returns when all threads have called it.
 *
 * @param sync - two words, zero at first, that the threads share.
 */
export function barrier(sync: usize, threads: i32): void {
  if (threads == 1) return;
  const generation = atomic.load<i32>(sync, 4);
  if (atomic.add<i32>(sync, 1) == threads - 1) {
    atomic.store<i32>(sync, 0);
    atomic.add<i32>(sync, 1, 4);
    atomic.notify(sync + 4, threads);
    return;
  }
  for (let look = 0; look < LOOKS; look++) {
    if (atomic.load<i32>(sync, 4) != generation) return;
  }
  while (atomic.load<i32>(sync, 4) == generation) atomic.wait<i32>(sync + 4, generation, -1);
}
