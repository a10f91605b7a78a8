/** One run of a comparison by the places of the common playhead, so that a timeline shows it like any other run. */
import { Run } from '../../model/run.ts';
import type { RunFrames, RunSource } from '../../model/shown-run.ts';
import type { Comparison } from './comparison.ts';
import type { Side } from './sides.ts';

function placedRun(side: Side, comparison: Comparison): RunFrames {
  const run = comparison.runOf(side);
  const indexOf = (place: number) => comparison.indexOf(side, place);
  const hasEnded = (place: number) => comparison.hasEnded(side, place);
  return {
    frameCount: comparison.count,
    /** Of the longer history: both timelines show the same tokens. */
    cursor: comparison.cursor,
    violations: run.violations,
    frameAt: (place) => (comparison.hasFrame(side, place) ? comparison.frameOf(side, place) : undefined),
    stepAt: (place) => {
      // Along the history's length steps are not evenly spaced, so that places have no number of their own.
      const step = comparison.by === 'step' ? comparison.keyOf(place) : undefined;
      return step === undefined ? undefined : { step };
    },
    layoutAt: (place) => (hasEnded(place) ? [] : comparison.layoutOf(side, place)),
    scoredLayoutAt: (place) =>
      hasEnded(place) ? null : comparison.framesOf(side).scoredLayoutAt(indexOf(place)),
    deltaNllAt: (place) => run.deltaNllAt(indexOf(place)),
    latenciesAt: (place) => run.latenciesAt(indexOf(place)),
    configAt: (place) => run.configAt(indexOf(place)),
    get configChanges() {
      return run.configChanges.flatMap(({ index, ...change }) => {
        const step = run.frameAt(index)?.step;
        return step === undefined ? [] : [{ ...change, index: comparison.placeOfStep(side, step) }];
      });
    },
    decodedAt: (tokenIndex) => run.decodedAt(tokenIndex),
    indexOfStep: (step) => comparison.placeOfStep(side, step),
    prunings: run.prunings.map(({ event }) => ({
      from: comparison.placeOfStep(side, event.step) + 1,
      event,
    })),
    /** Of either run: the playhead goes to where anything happened. */
    nextAction: (from, direction) => comparison.nextAction(from, direction),
    // One head of each run stands against one of the other's: the comparison says which.
    headIds: [0],
    ofHead: () => undefined,
    routingAt: (place) => run.routingAt(indexOf(place)),
    stagingAt: (place) => run.stagingAt(indexOf(place)),
    stagingUseUpTo: (place) => run.stagingUseUpTo(indexOf(place)),
    readsUpTo: (place) => run.readsUpTo(indexOf(place)),
    gainsUpTo: (step) => run.gainsUpTo(step),
  };
}

/** One side as the comparison is now: empty until both runs are there. */
export class PlacedSource implements RunSource {
  readonly #side: Side;
  readonly #current: () => Comparison | null;
  #comparison: Comparison | null = null;
  #run: RunFrames = new Run();

  /**
   * @param current - the comparison now.
   * @param subscribe - tells of another comparison.
   */
  constructor(
    side: Side,
    current: () => Comparison | null,
    readonly subscribe: RunSource['subscribe'],
  ) {
    this.#side = side;
    this.#current = current;
  }

  get run(): RunFrames {
    const comparison = this.#current();
    if (comparison !== this.#comparison) {
      this.#comparison = comparison;
      this.#run = comparison ? placedRun(this.#side, comparison) : new Run();
    }
    return this.#run;
  }

  get provenance() {
    return this.#current()?.sources[this.#side].provenance ?? [];
  }
}
