import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashUint32 } from '../../src/base/rng.ts';
import { assembleByRecency } from '../../src/core/allocator/assembly.ts';
import { appendAndFit, restoreCoverage } from '../../src/core/allocator/between-refocuses.ts';
import { allocate } from '../../src/core/allocator/focus-allocator.ts';
import { countInTree } from '../../src/core/allocator/node-counters.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import type { Allocation } from '../../src/core/allocator/pass/allocation-pass.ts';
import { checkInvariants } from '../../src/core/context/invariants.ts';
import { legalMoves, moveRules, protectedStart } from '../../src/core/context/moves.ts';
import type { Layout } from '../../src/core/context/working-context.ts';
import {
  DOCUMENT,
  configOf,
  gistBits,
  makeGists,
  tokenIds,
  treeOf,
} from '../../src/core/testing/fake-history.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import { type Lod, K, tokensPerEntry } from '../../src/core/tree/ids.ts';
import { commonRuns, countNodes, spanOfRun } from '../../src/core/tree/node-runs.ts';
import type { NodeRun } from '../../src/core/tree/ids.ts';
import { planPruning } from '../../src/core/tree/pruning/prune-plan.ts';
import type { PrunePlan } from '../../src/core/tree/pruning/prune-plan.ts';

type Operation =
  | { readonly kind: 'append'; readonly tokens: number }
  | { readonly kind: 'refocus'; readonly seed: number }
  | { readonly kind: 'prune'; readonly rounds: number }
  | { readonly kind: 'restore'; readonly lod: number; readonly first: number; readonly count: number }
  | { readonly kind: 'assemble' }
  | { readonly kind: 'config'; readonly budgetTokens: number; readonly recentTokens: number }
  | { readonly kind: 'mark'; readonly block: number; readonly blocks: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('append' as const), tokens: fc.integer({ min: 0, max: 200 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('refocus' as const), seed: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('prune' as const), rounds: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restore' as const),
      lod: fc.integer({ min: 0, max: 2 }),
      first: fc.integer({ min: 0, max: 200 }),
      count: fc.integer({ min: 1, max: 200 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'assemble' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('config' as const),
      budgetTokens: fc.integer({ min: 96, max: 1024 }),
      recentTokens: fc.integer({ min: 0, max: 2048 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('mark' as const),
      block: fc.nat(),
      blocks: fc.integer({ min: 1, max: 40 }),
    }),
  },
);

const rules = fc.record({
  pruneIdleSteps: fc.integer({ min: 0, max: 3 }),
  pruneHalfLifeSteps: fc.integer({ min: 1, max: 4 }),
  pruneKeepAccesses: fc.constantFrom(0, 1, 1000),
  pruneMaxShare: fc.constantFrom(0.2, 0.9),
});

/** What every pruning promises, after each of any operations. */
class Machine {
  readonly tree;
  layout: Layout;
  pruned = 0;
  coarse = 0;
  private config: RunConfig;
  private state = INITIAL_ALLOCATOR_STATE;
  private marked: { start: number; end: number }[] = [];

  constructor(tokens: number, changes: Partial<RunConfig>) {
    this.config = configOf({ budgetTokens: 512, recentTokens: 64, lod1WindowTokens: 512, ...changes });
    this.tree = treeOf(tokens);
    this.layout = assembleByRecency(this.tree, this.config).layout;
    this.check();
  }

  run(operation: Operation): void {
    const { tree, layout, config, state } = this;
    const fit = { tree, layout, config, state };
    switch (operation.kind) {
      case 'append':
        tree.appendTokens(tokenIds(tree.tokenCount, operation.tokens), DOCUMENT, state.step);
        makeGists(tree, state.step);
        this.take(appendAndFit(fit, tree.tokenCount));
        break;
      case 'refocus': {
        const scores = Float32Array.from(
          layout.entries,
          ({ lod, start }) => hashUint32(operation.seed, lod, start) / 2 ** 31 - 1,
        );
        const pins = this.marked;
        this.take(allocate({ layout, scores, tree, config, state, pass: 0, pins, reserveTokens: 0 }));
        break;
      }
      case 'prune':
        for (let round = 0; round < operation.rounds; round++) this.prune();
        break;
      case 'restore':
        this.restore(commonRuns([operation], tree.coldRuns));
        break;
      case 'assemble':
        this.layout = assembleByRecency(tree, config).layout;
        break;
      case 'config': {
        this.config = { ...config, ...operation, kind: undefined } as RunConfig;
        const wider = restoreCoverage({ ...fit, config: this.config }, 0);
        this.layout = wider.layout;
        this.take(
          appendAndFit(
            { tree, layout: wider.layout, config: this.config, state: wider.state },
            tree.tokenCount,
          ),
        );
        break;
      }
      case 'mark': {
        const start = (operation.block % Math.max(1, tree.closedBlockCount)) * K;
        this.marked = [{ start, end: start + operation.blocks * K }];
      }
    }
    this.check();
  }

  private plan(): PrunePlan {
    const { tree, config, state, layout, marked } = this;
    const recent = { start: protectedStart(tree.tokenCount, config), end: tree.tokenCount };
    return planPruning({
      tree,
      rules: config,
      step: state.step,
      protectedSpans: [recent, ...marked],
      heldEntries: layout.entries,
    });
  }

  private prune(): void {
    const { tree, config, marked } = this;
    const { runs, units, bytes } = this.plan();
    for (const run of runs) {
      const { start, end } = spanOfRun(run);
      const held = [{ start: protectedStart(tree.tokenCount, config), end: tree.tokenCount }, ...marked];
      expect(held.filter((span) => span.start < end && start < span.end)).toEqual([]);
      for (let row = run.first; row < run.first + run.count; row++) {
        // What stands for it stays, and what is finer than it is gone already.
        expect(tree.canServe(run.lod + 1, row * tokensPerEntry(run.lod))).toBe(true);
        if (run.lod > 0) expect(tree.canServeChildren(run.lod, row * tokensPerEntry(run.lod))).toBe(false);
      }
      if (run.lod > 0) this.coarse++;
    }
    expect(countNodes(runs)).toBe(units.reduce((sum, { count }) => sum + count, 0));
    expect(bytes).toBe(runs.reduce((sum, { lod, count }) => sum + count * (lod === 0 ? K * 4 : 8), 0));
    tree.withhold(runs);
    this.pruned += countNodes(runs);
    for (let lod = 0; lod < tree.maxLod; lod++) {
      const share = tree.metadata(lod).withheldCount / Math.max(1, tree.countAt(lod));
      expect(share).toBeLessThanOrEqual(0.9);
    }
  }

  /** The same bits come back. */
  restore(runs: readonly NodeRun[]): void {
    for (const run of runs) {
      const bits = run.lod === 0 ? null : gistBits(run.lod as Lod, run.first, run.count);
      this.tree.restore(run, bits);
    }
  }

  /** Once nothing is cold any more, the tree is what it would have been. */
  finish(): void {
    const { tree } = this;
    this.restore(tree.coldRuns);
    expect(tree.coldRuns).toEqual([]);
    for (let lod = 1; lod <= tree.maxLod; lod++) {
      const count = tree.countAt(lod);
      expect(tree.gistBits(lod as Lod, 0, count)).toEqual(gistBits(lod as Lod, 0, count));
    }
    expect(tree.tokens(0, tree.tokenCount)).toEqual(tokenIds(0, tree.tokenCount));
  }

  private take(result: Allocation): void {
    expect(
      checkInvariants(result.layout, this.tree, this.config, { previous: this.layout }).filter(
        ({ check }) => check !== 'budget' || result.layout.entries.length > 1,
      ),
    ).toEqual([]);
    this.layout = result.layout;
    this.state = result.state;
    countInTree(this.tree, result.layout, result.actions, result.state.step);
  }

  private check(): void {
    const { tree, layout, config } = this;
    const broken = checkInvariants(layout, tree, config);
    expect(broken.filter(({ check }) => check !== 'budget' || layout.entries.length > 1)).toEqual([]);
    for (const { kind, lod, start } of legalMoves(layout, moveRules(layout, tree, config))) {
      if (kind === 'expand') expect(tree.canServeChildren(lod, start)).toBe(true);
    }
  }
}

describe('pruning', () => {
  it('keeps every invariant and the legality masks over random histories, rules and restorations', () => {
    let pruned = 0;
    let coarse = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 6000, max: 9000 })),
        rules,
        fc.array(operation, { minLength: 2, maxLength: 14 }),
        (tokens, changes, operations) => {
          const machine = new Machine(tokens, changes);
          for (const step of operations) machine.run(step);
          pruned += machine.pruned;
          coarse += machine.coarse;
          machine.finish();
        },
      ),
      { numRuns: 300, seed: 20_260_611 },
    );
    expect(pruned).toBeGreaterThan(1000);
    expect(coarse).toBeGreaterThan(10);
  }, 300_000);
});
