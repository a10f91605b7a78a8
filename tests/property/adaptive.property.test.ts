import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import type { AllocatorState } from '../../src/core/allocator/pass/allocator-state.ts';
import { assembleByRecency } from '../../src/core/allocator/assembly.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import type { Entry } from '../../src/core/context/working-context.ts';
import { appendAndFit } from '../../src/core/allocator/between-refocuses.ts';
import { K, tokensPerEntry } from '../../src/core/tree/ids.ts';
import { MetricsAccumulator, stepMetrics } from '../../src/core/trace/metrics.ts';
import { hashUint32 } from '../../src/base/rng.ts';
import { allocate } from '../../src/core/allocator/focus-allocator.ts';
import type { GistTree } from '../../src/core/tree/gist-tree.ts';
import { entryAt } from '../../src/core/context/working-context.ts';
import { DOCUMENT, configOf, makeGists, tokenIds, treeOf } from '../../src/core/testing/fake-history.ts';

type Scoring = (lod: number, start: number) => number;

/** Random scores that never change; a gist's is the mean of its blocks', so that levels agree. */
function stableScores(seed: number, lowest = -1): Scoring {
  return (lod, start) => {
    const blocks = lod === 0 ? 1 : tokensPerEntry(lod) / K;
    let sum = 0;
    for (let i = 0; i < blocks; i++) sum += hashUint32(seed, start / K + i) / 2 ** 32;
    return lowest + (1 - lowest) * (sum / blocks);
  };
}

/** Streams blocks through the allocator as the engine does, with stable random scores. */
class Stream {
  readonly tree: GistTree;
  readonly config: RunConfig;
  readonly metrics = new MetricsAccumulator();
  readonly utilisations: number[] = [];
  private layout;
  private state: AllocatorState = INITIAL_ALLOCATOR_STATE;
  private scores: Float32Array;

  constructor(
    tokens: number,
    changes: Partial<RunConfig>,
    private readonly score: Scoring,
  ) {
    this.tree = treeOf(tokens);
    this.config = configOf({ strategy: 'adaptive', recentTokens: 128, ...changes });
    this.layout = assembleByRecency(this.tree, this.config).layout;
    this.scores = new Float32Array(this.layout.entries.length);
  }

  get entries(): readonly Entry[] {
    return this.layout.entries;
  }

  append(): void {
    const { tree, config, state, scores, layout } = this;
    tree.appendTokens(tokenIds(tree.tokenCount, K), DOCUMENT, state.step);
    makeGists(tree);
    const fit = appendAndFit({ layout, tree, config, state, scores }, tree.tokenCount);
    this.metrics.addActions(state.step, fit.actions);
    Object.assign(this, { layout: fit.layout, state: fit.state, scores: fit.scores });
  }

  refocus(): void {
    const { tree, config, state, layout } = this;
    const scores = Float32Array.from(layout.entries, ({ lod, start }) => this.score(lod, start));
    const input = { layout, scores, tree, config, state, pass: 0, reserveTokens: K };
    const result = allocate(input);
    const { actions } = result;
    const metrics = stepMetrics({ scoredLayout: layout, scores, layout: result.layout, actions, config });
    this.metrics.addRefocus(result.state.step, metrics, actions);
    this.utilisations.push(metrics.utilisation);
    Object.assign(this, { layout: result.layout, state: result.state, scores: result.scores });
  }
}

const seeds = fc.nat();
const STEPS = 300;
const WARM_UP = 60;
/** Refocuses after which a wanted LOD1 block must be raw. */
const SOON = 2;

describe('the adaptive strategy on a stream of tokens', () => {
  it('keeps the window 80 to 100% full and undoes nearly nothing', () => {
    const flips: number[] = [];
    fc.assert(
      fc.property(
        seeds,
        fc.constantFrom(384, 512, 1024),
        fc.integer({ min: 0, max: 40_000 }),
        (seed, budgetTokens, tokens) => {
          const stream = new Stream(tokens, { budgetTokens }, stableScores(seed));
          for (let i = 0; i < STEPS; i++) {
            stream.append();
            stream.refocus();
          }
          const { flipRate, evictions } = stream.metrics.totals();
          flips.push(flipRate);
          expect(Math.min(...stream.utilisations.slice(WARM_UP))).toBeGreaterThanOrEqual(0.8);
          expect(Math.max(...stream.utilisations)).toBeLessThanOrEqual(1);
          expect(evictions).toBe(0);
        },
      ),
      { numRuns: 12, seed: 3 },
    );
    expect(Math.max(...flips)).toBeLessThan(0.01);
  });
  it('lets what a question asks for into a full window, paid for by the least wanted', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        let wanted = -1;
        const background = stableScores(seed);
        const stream = new Stream(6000, { budgetTokens: 512 }, (lod, start) =>
          start === wanted && lod < 2 ? 0.95 : 0.6 * background(lod, start) - 0.3,
        );
        for (let i = 0; i < WARM_UP; i++) {
          stream.append();
          stream.refocus();
        }
        wanted = stream.entries.find(({ lod }) => lod === 1)!.start;
        for (let i = 0; i < SOON; i++) stream.refocus();
        expect(stream.entries).toContainEqual(entryAt(0, wanted));
      }),
      { numRuns: 10, seed: 5 },
    );
  });
});
