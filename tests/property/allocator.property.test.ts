import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CooldownTable, INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import { MAX_REFUSED } from '../../src/core/allocator/pass/allocation-pass.ts';
import type { Allocation } from '../../src/core/allocator/pass/allocation-pass.ts';
import type { AllocatorState } from '../../src/core/allocator/pass/allocator-state.ts';
import type { PinnedSpan, Layout } from '../../src/core/context/working-context.ts';
import { assembleByRecency } from '../../src/core/allocator/assembly.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import { STRATEGY_IDS } from '../../src/core/parameters/allocator.ts';
import { appendAndFit, makeRoom, restoreCoverage } from '../../src/core/allocator/between-refocuses.ts';
import { K, parentSpan, spanIdOf, tokensPerEntry } from '../../src/core/tree/ids.ts';
import { DraftLayout } from '../../src/core/context/draft-layout.ts';
import { legalMoves, moveRules } from '../../src/core/context/moves.ts';
import { extendLayout, windowStart } from '../../src/core/context/working-context.ts';
import { redo } from '../../src/core/trace/action-replay.ts';
import { checkInvariants } from '../../src/core/context/invariants.ts';
import { actByHand } from '../../src/core/allocator/manual-action.ts';
import { hashUint32 } from '../../src/base/rng.ts';
import { allocate } from '../../src/core/allocator/focus-allocator.ts';
import { actionSchema } from '../../src/core/trace/telemetry.ts';
import type { ActionRecord } from '../../src/core/trace/telemetry.ts';
import type { GistTree } from '../../src/core/tree/gist-tree.ts';
import { DOCUMENT, configOf, makeGists, tokenIds, treeOf } from '../../src/core/testing/fake-history.ts';

type Operation =
  | { readonly kind: 'append'; readonly tokens: number; readonly withGists: boolean }
  | { readonly kind: 'refocus'; readonly seed: number; readonly passes: number; readonly reserve: number }
  | { readonly kind: 'byHand'; readonly move: 'expand' | 'collapse'; readonly pick: number }
  | { readonly kind: 'makeRoom'; readonly tokens: number }
  | { readonly kind: 'budget'; readonly budgetTokens: number }
  | { readonly kind: 'prune'; readonly block: number }
  | { readonly kind: 'pin'; readonly block: number; readonly blocks: number };

const appendOperation = fc.record({
  kind: fc.constant('append' as const),
  tokens: fc.integer({ min: 0, max: 96 }),
  withGists: fc.boolean(),
});
const refocusOperation = fc.record({
  kind: fc.constant('refocus' as const),
  seed: fc.nat(),
  passes: fc.integer({ min: 1, max: 3 }),
  reserve: fc.constantFrom(0, K),
});
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: appendOperation },
  { weight: 6, arbitrary: refocusOperation },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('byHand' as const),
      move: fc.constantFrom('expand' as const, 'collapse' as const),
      pick: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('makeRoom' as const), tokens: fc.integer({ min: 0, max: K }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('budget' as const),
      budgetTokens: fc.oneof(fc.integer({ min: 64, max: 320 }), fc.integer({ min: 64, max: 2048 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), block: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pin' as const),
      block: fc.nat(),
      blocks: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
const configuration = fc.record({
  budgetTokens: fc.integer({ min: 64, max: 320 }),
  recentTokens: fc.integer({ min: 0, max: 256 }),
  lod1WindowTokens: fc.constantFrom(0, 512, 2048),
  maxActions: fc.integer({ min: 0, max: 8 }),
  cooldownSteps: fc.integer({ min: 0, max: 4 }),
  driftDecay: fc.constantFrom(0, 0.9, 1),
  driftGain: fc.constantFrom(0, 0.05, 1),
  strategy: fc.constantFrom(...STRATEGY_IDS),
  tradeMargin: fc.constantFrom(0, 0.1),
  openNeighbours: fc.constantFrom(0, 0, 1, 2),
  openBlocks: fc.constantFrom(0, 0, 1, 4),
  strategyTemperature: fc.constantFrom(0, 0.5),
});
const historyLength = fc.oneof(
  fc.constantFrom(0, 1, 31, 32, 33, 1023, 1024, 1025),
  fc.integer({ min: 0, max: 2600 }),
);

/** A hand, and history that would be lost otherwise. */
const OUTRANKS_COOLDOWN: readonly string[] = ['manual', 'cooldown-overruled'];

/** What the coarsest entry costs that ends where the window starts; null if the tree has none. */
function evictedBefore(tree: GistTree, start: number): number | null {
  for (let lod = tree.maxLod as number; lod >= 0 && start > 0; lod--) {
    const span = tokensPerEntry(lod);
    if (start % span === 0 && tree.canServe(lod, start - span)) return lod === 0 ? K : 1;
  }
  return null;
}

/** Runs operations against the core and checks every promise after each of them. */
class Machine {
  readonly tree: GistTree;
  layout: Layout;
  refocuses = 0;
  evictions = 0;
  readmissions = 0;
  overruled = 0;
  private config: RunConfig;
  private state: AllocatorState = INITIAL_ALLOCATOR_STATE;
  private scores: Float32Array;
  private pins: PinnedSpan[] = [];
  private readonly moves = new Map<number, { step: number; kind: string }>();

  constructor(tokens: number, changes: Partial<RunConfig>) {
    this.config = configOf(changes);
    this.tree = treeOf(tokens);
    this.layout = assembleByRecency(this.tree, this.config).layout;
    this.scores = new Float32Array(this.layout.entries.length);
    expect(this.layout.cursor).toBe(tokens);
    expect(checkInvariants(this.layout, this.tree, this.config)).toEqual([]);
  }

  run(operation: Operation): void {
    const { tree, layout, config, state, scores, pins } = this;
    const fit = { tree, layout, config, state, scores, pins };
    switch (operation.kind) {
      case 'append': {
        tree.appendTokens(tokenIds(tree.tokenCount, operation.tokens), DOCUMENT, state.step);
        if (operation.withGists) makeGists(tree, state.step);
        this.take(appendAndFit(fit, tree.tokenCount), 0);
        expect(this.layout.cursor).toBe(tree.tokenCount);
        return;
      }
      case 'refocus': {
        makeGists(tree, state.step);
        for (let pass = 0; pass < operation.passes; pass++)
          this.refocusPass(operation.seed, pass, operation.reserve);
        this.refocuses++;
        return;
      }
      case 'byHand': {
        const entry = layout.entries[operation.pick % Math.max(1, layout.entries.length)];
        if (entry === undefined) return;
        this.take(
          actByHand(fit, { kind: operation.move, lod: entry.lod, start: entry.start, end: entry.end }),
          0,
        );
        return;
      }
      case 'makeRoom':
        this.take(makeRoom(fit, operation.tokens), operation.tokens);
        return;
      case 'budget':
        this.config = { ...config, budgetTokens: operation.budgetTokens };
        this.take(makeRoom({ ...fit, config: this.config }, 0), 0);
        this.restoreCoverage();
        return;
      case 'prune': {
        const block = operation.block % Math.max(1, tree.closedBlockCount);
        const isInUse = layout.entries.some((entry) => entry.lod === 0 && entry.start === block * K);
        if (block < tree.closedBlockCount && !isInUse) tree.setFlag(0, block * K, 'pruned', true);
        const gist = operation.block % Math.max(1, tree.countAt(1));
        const isGistInUse = layout.entries.some((entry) => entry.lod === 1 && entry.start === gist * K);
        if (gist < tree.countAt(1) && !isGistInUse) tree.setFlag(1, gist * K, 'cold', true);
        return;
      }
      case 'pin': {
        const start = (operation.block % Math.max(1, tree.closedBlockCount)) * K;
        this.pins = [{ start, end: start + operation.blocks * K }];
      }
    }
  }

  private refocusPass(seed: number, pass: number, reserveTokens: number): void {
    const { tree, layout, config, state, pins } = this;
    const scores = Float32Array.from(
      layout.entries,
      (entry) => hashUint32(seed, pass, entry.lod, entry.start) / 2 ** 31 - 1,
    );
    const result = allocate({
      layout,
      scores,
      tree,
      config,
      state,
      pass,
      pins,
      reserveTokens,
    });
    expect(result.state.step).toBe(pass === 0 ? state.step + 1 : state.step);
    expect(result.state.actionsTaken).toBeLessThanOrEqual(config.maxActions);
    this.take(result, reserveTokens);
    this.checkCoverage(Math.min(reserveTokens, config.budgetTokens - K));
  }

  /** The budget may have been raised. */
  private restoreCoverage(): void {
    const { tree, layout, config, state, scores, pins } = this;
    this.take(restoreCoverage({ tree, layout, config, state, scores, pins }, 0), 0);
    this.checkCoverage(0);
  }

  /** Whatever the run was like: once the budget holds it all, nothing is missing that the tree can serve. */
  finish(): void {
    const { config, tree } = this;
    this.config = { ...config, budgetTokens: 8192 };
    this.restoreCoverage();
    if (windowStart(this.layout) > 0) expect(evictedBefore(tree, windowStart(this.layout))).toBeNull();
  }

  /** What is not in the window does not fit, and nothing that may collapse stands in its way. */
  private checkCoverage(reserveTokens: number): void {
    const { tree, layout, config, state, pins } = this;
    if (layout.entries.length === 0) return;
    const cost = evictedBefore(tree, windowStart(layout));
    if (cost === null) return;
    expect(config.budgetTokens - reserveTokens - layout.usedTokens).toBeLessThan(cost);
    if (cost > 1) return;
    const cooldowns = new CooldownTable(state.cooldowns, state.step, config.cooldownSteps);
    for (const { kind, lod, start } of legalMoves(layout, moveRules(layout, tree, config))) {
      const parent = parentSpan(lod, start);
      const isFree = cooldowns.left(parent.lod, parent.start, 'collapse') === 0;
      const isPinned = pins.some((pin) => pin.start < parent.end && parent.start < pin.end);
      expect(kind === 'collapse' && isFree && !isPinned).toBe(false);
    }
  }

  /** The records say all that happened, and nothing was evicted while anything could collapse. */
  private checkRecords(result: Allocation): void {
    const { tree, config, layout } = this;
    const before = extendLayout(layout, result.layout.cursor);
    const draft = new DraftLayout(before);
    const rules = moveRules(before, tree, config);
    for (const action of result.actions) {
      if (!action.applied) continue;
      if (action.kind === 'evict') {
        const now = draft.toLayout();
        expect(legalMoves(now, rules).filter(({ kind }) => kind === 'collapse')).toEqual([]);
        this.evictions++;
      }
      if (action.kind === 'readmit') this.readmissions++;
      if (action.reason === 'cooldown-overruled') this.overruled++;
      expect(redo(draft, action)).toBe(true);
    }
    expect(draft.toLayout().entries).toEqual(result.layout.entries);
  }

  /** Publish a result after checking it. */
  private take(result: Allocation, reserveTokens: number): void {
    const { tree, config, layout } = this;
    const { layout: after, scores } = result;
    expect(checkInvariants(after, tree, config, { previous: layout })).toEqual([]);
    expect(scores).toHaveLength(after.entries.length);
    if (after.entries.length > 1)
      expect(after.usedTokens).toBeLessThanOrEqual(config.budgetTokens - reserveTokens);
    this.checkRecords(result);
    const refused = result.actions.filter((action) => !action.applied);
    expect(refused.length).toBeLessThanOrEqual(MAX_REFUSED);
    for (const action of result.actions) if (action.applied) this.checkCooldown(action, result.state.step);
    const cost = result.actions.reduce((sum, action) => sum + (action.applied ? action.costDelta : 0), 0);
    expect(after.usedTokens).toBe(layout.usedTokens + after.cursor - layout.cursor + cost);
    this.layout = after;
    this.scores = scores;
    this.state = result.state;
    expect(actionSchema.array().safeParse(result.actions).success).toBe(true);
  }

  private checkCooldown(action: ActionRecord, step: number): void {
    if (action.kind === 'evict' || action.kind === 'readmit') return;
    const span = spanIdOf(action.lod, action.start);
    const last = this.moves.get(span);
    if (last !== undefined && last.kind !== action.kind && !OUTRANKS_COOLDOWN.includes(action.reason)) {
      expect(step - last.step).toBeGreaterThan(this.config.cooldownSteps);
    }
    this.moves.set(span, { step, kind: action.kind });
  }
}

/** `npm run test:full` draws four times as many. */
const RUNS = process.env['FULL_TEST'] === '1' ? 10_000 : 2500;

describe('working context and allocator', () => {
  it(`${RUNS} random histories and actions never break an invariant, the budget or a cooldown`, () => {
    let refocuses = 0;
    let swaps = 0;
    let evictions = 0;
    let readmissions = 0;
    let overruled = 0;
    fc.assert(
      fc.property(
        historyLength,
        configuration,
        fc.array(operation, { minLength: 1, maxLength: 8 }),
        (tokens, config, operations) => {
          const machine = new Machine(tokens, config);
          const before = machine.layout;
          for (const step of operations) machine.run(step);
          machine.finish();
          refocuses += machine.refocuses;
          evictions += machine.evictions;
          readmissions += machine.readmissions;
          overruled += machine.overruled;
          if (machine.layout !== before) swaps++;
        },
      ),
      { numRuns: RUNS, seed: 20_240_607 },
    );
    expect(refocuses).toBeGreaterThan(RUNS);
    expect(swaps).toBeGreaterThan(RUNS / 2);
    for (const count of [evictions, readmissions, overruled]) expect(count).toBeGreaterThan(RUNS / 10);
  }, 900_000);

  it('the same input gives the same result', () => {
    fc.assert(
      fc.property(
        historyLength,
        configuration,
        fc.array(operation, { maxLength: 8 }),
        (tokens, config, operations) => {
          const [a, b] = [new Machine(tokens, config), new Machine(tokens, config)];
          for (const step of operations) {
            a.run(step);
            b.run(step);
          }
          expect(a.layout).toEqual(b.layout);
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });

  it.each([0, 1, 31, 32, 33, 1023, 1024, 1025, 40_000])(
    'a history of %i tokens is assembled and refocused',
    (tokens) => {
      for (const budgetTokens of [64, 65, 256, 1024, 8192]) {
        const machine = new Machine(tokens, { budgetTokens, recentTokens: 64 });
        for (let i = 0; i < 5; i++) {
          machine.run({ kind: 'refocus', seed: i, passes: 2, reserve: K });
          machine.run({ kind: 'append', tokens: K, withGists: true });
        }
        expect(machine.layout.cursor).toBe(tokens + 5 * K);
      }
    },
  );

  it('takes a prompt far longer than the window at once', () => {
    const machine = new Machine(0, { budgetTokens: 128, recentTokens: 32 });
    machine.run({ kind: 'append', tokens: 40_000, withGists: true });
    machine.run({ kind: 'refocus', seed: 1, passes: 1, reserve: 0 });
    machine.run({ kind: 'append', tokens: 5_000, withGists: false });
    expect(machine.layout.cursor).toBe(45_000);
    expect(machine.layout.usedTokens).toBeLessThanOrEqual(128);
  });
});
