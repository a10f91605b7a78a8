/** How the threads of one computation share its work and wait for each other. All run the same program in step. */

/** Where thread `thread` of `threads` begins among `count` items, in whole multiples. Ends where the next begins. */
export function shareStart(thread: i32, threads: i32, count: i32, multiple: i32): i32 {
  const units = (count + multiple - 1) / multiple;
  return min(count, ((units * thread) / threads) * multiple);
}

/** How often a thread looks before it sleeps: some microseconds, about as long as waking up takes. */
const LOOKS = 8000;
const TIMED_OUT = 2;

/**
 * What threads share to wait for each other: zeros at first.
 */
@unmanaged
class Sync {
  /** Threads that stand at the barrier. */
  waiting: i32;
  /** Barriers passed. */
  generation: i32;
  /** 1 once a thread failed or one waited in vain: the results are worthless, and nobody waits any more. */
  isAbandoned: i32;
  /** How long one waits for the others, in milliseconds. */
  patienceMs: i32;
  /** Runs that a thread left, whether done or not: counts on over all runs. */
  left: i32;
}

/**
 * Returns when all threads have called it. Traps where the run is abandoned, and abandons it where the others do not
 * come in time: a thread that died cannot say so.
 */
export function barrier(sync: usize, threads: i32): void {
  if (threads == 1) return;
  const shared = changetype<Sync>(sync);
  const generation = sync + offsetof<Sync>('generation');
  const own = atomic.load<i32>(generation);
  if (atomic.add<i32>(sync, 1) == threads - 1) {
    atomic.store<i32>(sync, 0);
    atomic.add<i32>(generation, 1);
    atomic.notify(generation, threads);
    return;
  }
  for (let look = 0; look < LOOKS; look++) {
    if (atomic.load<i32>(generation) != own) return;
  }
  const patience = <i64>shared.patienceMs * 1000000;
  while (atomic.load<i32>(generation) == own) {
    if (isAbandoned(sync)) unreachable();
    if (atomic.wait<i32>(generation, own, patience) != TIMED_OUT) continue;
    if (atomic.load<i32>(generation) != own) return;
    abandon(sync);
    unreachable();
  }
}

export function isAbandoned(sync: usize): bool {
  return atomic.load<i32>(sync, offsetof<Sync>('isAbandoned')) != 0;
}

/** Nobody waits any more: whoever does traps. */
export function abandon(sync: usize): void {
  atomic.store<i32>(sync, 1, offsetof<Sync>('isAbandoned'));
  atomic.notify(sync + offsetof<Sync>('generation'), i32.MAX_VALUE);
}

/** The last thing that a helping thread does in a run, whatever became of it. */
export function leave(sync: usize): void {
  atomic.add<i32>(sync, 1, offsetof<Sync>('left'));
  atomic.notify(sync + offsetof<Sync>('left'), i32.MAX_VALUE);
}

/** Waits until threads have left so many runs in all, for a while. @returns whether they have. */
export function awaitLeft(sync: usize, runs: i32, waitMs: i32): bool {
  const left = sync + offsetof<Sync>('left');
  for (let last = atomic.load<i32>(left); last != runs; last = atomic.load<i32>(left)) {
    if (atomic.wait<i32>(left, last, <i64>waitMs * 1000000) == TIMED_OUT) return false;
  }
  return true;
}
