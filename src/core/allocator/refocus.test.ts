import { describe, expect, it } from 'vitest';
import { configOf, embed, treeOf } from '../testing/fake-history.ts';
import { INITIAL_ALLOCATOR_STATE } from './pass/allocator-state.ts';
import { assembleByRecency } from './assembly.ts';
import { checkInvariants } from '../context/invariants.ts';
import type { InvariantName } from '../context/invariants.ts';
import { positionSchemeOf } from '../context/position-scheme.ts';
import { POSITION_MODES } from '../parameters/context.ts';
import { slotPositions } from '../context/positions.ts';
import { type Lod, K } from '../tree/ids.ts';
import { createScorer } from '../policies/registry.ts';
import { policyPorts } from '../testing/policy-ports.ts';
import type { Scorer } from '../policies/scorer.ts';
import { RefocusRecorder } from '../trace/refocus-recorder.ts';
import { refocus } from './refocus.ts';
import type { RefocusInput } from './refocus.ts';
import { telemetryEventSchema } from '../trace/telemetry.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';
import type { Layout } from '../context/working-context.ts';

function inputOf(tokens: number, scorer: Scorer, changes: Parameters<typeof configOf>[0] = {}): RefocusInput {
  const tree = treeOf(tokens);
  const config = configOf({ budgetTokens: 256, recentTokens: 64, lod1WindowTokens: 1024, ...changes });
  let clock = 0;
  return {
    layout: assembleByRecency(tree, config).layout,
    tree,
    config,
    state: INITIAL_ALLOCATOR_STATE,
    scorer,
    embed,
    tailTokens: 64,
    now: () => clock++,
  };
}

const constant = (score: number): Scorer => ({
  id: 'constant',
  score: (view) => Promise.resolve(new Float32Array(view.slotCount).fill(score)),
});

describe('refocus', () => {
  it.each(['recency', 'random', 'retrieval', 'manual'] as const)(
    '%s keeps every invariant over many steps',
    async (policy) => {
      const config = configOf();
      const pins = () => [{ start: 320, end: 352 }];
      const scorer = createScorer({ ...config, policy, budgetTokens: 256 }, policyPorts(treeOf(5000), pins));
      let input = inputOf(5000, scorer, { refineSteps: 2 });
      let applied = 0;
      for (let step = 1; step <= 20; step++) {
        const result = await refocus(input);
        expect(result.step).toBe(step);
        expect(result.violations).toEqual([]);
        expect(checkInvariants(result.layout, input.tree, input.config, { previous: input.layout })).toEqual(
          [],
        );
        applied += result.actions.filter((action) => action.applied).length;
        input = { ...input, layout: result.layout, state: result.state };
      }
      if (policy !== 'manual') expect(applied).toBeGreaterThan(2);
    },
  );

  it('rescores only while actions changed the layout', async () => {
    let calls = 0;
    const counting: Scorer = { id: 'counting', score: (view) => (calls++, constant(0).score(view)) };
    await refocus(inputOf(5000, counting, { refineSteps: 3 }));
    expect(calls).toBe(1);
  });

  it('does not score again for what the budget forced out', async () => {
    let calls = 0;
    const counting: Scorer = { id: 'counting', score: (view) => (calls++, constant(0).score(view)) };
    const input = inputOf(5000, counting, { refineSteps: 3, recentTokens: 192 });
    const config = { ...input.config, recentTokens: 32, budgetTokens: input.layout.usedTokens - 1 };
    const { actions } = await refocus({ ...input, config });
    const reasons = actions.filter(({ applied }) => applied).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(['over-budget']));
    expect(calls).toBe(1);
  });

  it('descends two levels in one refocus when refining', async () => {
    const input = inputOf(5000, constant(1), {
      refineSteps: 1,
      maxActions: 2,
      budgetTokens: 512,
      lod1WindowTokens: 0,
    });
    const once = await refocus({ ...input, config: { ...input.config, maxActions: 1 } });
    expect(once.actions.filter((action) => action.applied)).toHaveLength(1);
    const wanted = input.layout.entries.findLast((entry) => entry.lod === 2)!;
    const focused: Scorer = {
      id: 'focused',
      score: (view) =>
        Promise.resolve(
          Float32Array.from(view.entryOfSlot, (i) => (view.entries[i]!.end === wanted.end ? 1 : 0)),
        ),
    };
    const result = await refocus({ ...input, scorer: focused });
    expect(
      result.actions.filter((action) => action.applied).map(({ lod, toLod, pass }) => [lod, toLod, pass]),
    ).toEqual([
      [2, 1, 0],
      [1, 0, 1],
    ]);
  });

  it('never takes more than N_diff actions in one refocus, refine passes included', async () => {
    const result = await refocus(
      inputOf(5000, constant(1), { refineSteps: 3, budgetTokens: 4096, recentTokens: 256 }),
    );
    expect(result.actions.filter((action) => action.applied)).toHaveLength(4);
  });

  /** What a broken allocator may make of a layout, by the rule that it breaks. */
  const BREAKS: Readonly<Record<Exclude<InvariantName, 'rope'>, (layout: Layout) => Layout>> = {
    budget: (layout) => ({ ...layout, usedTokens: layout.usedTokens - 1 }),
    contiguity: ({ entries }) => layoutOf(entries.filter((_, i) => i !== 3)),
    'block-alignment': ({ entries }) =>
      layoutOf(
        entries.flatMap((entry) =>
          entry.lod === 0 && entry.cost === K
            ? [entryAt(0, entry.start, entry.start + 5), entryAt(0, entry.start + 5, entry.end)]
            : [entry],
        ),
      ),
    'level-consistency': ({ entries }) =>
      layoutOf(entries.map((entry) => (entry.lod === 1 ? { ...entry, lod: 2 } : entry))),
    'tree-consistency': ({ entries }) =>
      layoutOf(entries.map((entry) => (entry.lod === 2 ? { ...entry, lod: 5 as Lod } : entry))),
    'no-partial-swaps': ({ entries }) =>
      layoutOf([
        ...Array.from({ length: 8 }, (_, i) => entryAt(1, entries[0]!.end - (8 - i) * K)),
        ...entries.slice(1),
      ]),
  };

  it.each(Object.keys(BREAKS) as (keyof typeof BREAKS)[])(
    'reports a broken %s, rolls the step back and rebuilds by recency',
    async (check) => {
      const input = inputOf(5000, constant(0));
      const result = await refocus({
        ...input,
        allocate: ({ layout, state, scores }) => ({
          layout: BREAKS[check](layout),
          scores,
          state: { ...state, step: state.step + 1, drift: 99 },
          actions: [],
        }),
      });
      expect(result.rebuilt).toBe(true);
      expect(result.violations.map((violation) => violation.check)).toContain(check);
      expect(result.layout).toEqual(assembleByRecency(input.tree, input.config).layout);
      expect(result.state).toEqual({ ...input.state, step: 1 });
      const options = { head: 0, policy: 'manual', budgetTokens: 256, trigger: 'block', timeMs: 0 } as const;
      const events = new RefocusRecorder().record(result, options);
      expect(events.filter(({ type }) => type === 'violation')).toContainEqual(
        expect.objectContaining({ check }),
      );
    },
  );

  it.each(POSITION_MODES)('reports a slot that is sent to a wrong place, positions %s', async (positions) => {
    const input = inputOf(5000, constant(0), { positions });
    const scheme = positionSchemeOf(input.config, 2048);
    const sent = (layout: Layout) => ({ ...slotPositions(layout, scheme), scheme, entries: layout.entries });
    expect((await refocus({ ...input, sentPositions: sent })).violations).toEqual([]);
    const shifted = (layout: Layout) => {
      const places = sent(layout);
      return {
        ...places,
        positions: places.positions.map((place, slot) => (slot === 20 ? place + 3 : place)),
      };
    };
    const result = await refocus({ ...input, sentPositions: shifted });
    expect(result.violations.map(({ check }) => check)).toEqual(['rope']);
    expect(result.rebuilt).toBe(true);
    expect(result.layout).toEqual(assembleByRecency(input.tree, input.config).layout);
  });

  it('reports a raw block that the base is not sent', async () => {
    const input = inputOf(5000, constant(0));
    const scheme = positionSchemeOf(input.config, 2048);
    const sent = (layout: Layout) => {
      const raw = layout.entries.filter(({ lod }) => lod === 0).slice(1);
      const read = { ...layoutOf(raw), cursor: layout.cursor };
      return { ...slotPositions(read, scheme), scheme, entries: raw };
    };
    const { violations } = await refocus({ ...input, sentPositions: sent });
    expect(violations).toMatchObject([
      { check: 'rope', message: expect.stringContaining('not sent') as string },
    ]);
  });

  it('uses no score of a scorer that gives NaN, and says so', async () => {
    const result = await refocus(inputOf(5000, constant(NaN)));
    expect(result.violations).toMatchObject([{ check: 'scores' }]);
    expect(result.actions.filter((action) => action.applied)).toEqual([]);
  });

  it('leaves an empty history alone', async () => {
    const result = await refocus(inputOf(0, constant(1)));
    expect(result.layout.entries).toEqual([]);
    expect(result.violations).toEqual([]);
  });

  it('counts accesses and moves in the tree', async () => {
    const input = inputOf(5000, constant(0));
    const result = await refocus(input);
    const entry = result.layout.entries[0]!;
    expect(input.tree.node(entry.lod, 0)).toMatchObject({ accessCount: 1, lastAccessStep: 1, residency: 1 });
  });

  it('records events that the telemetry schema accepts', async () => {
    const recorder = new RefocusRecorder();
    let input = inputOf(5000, createScorer(configOf({ policy: 'random' }), policyPorts(treeOf(5000))), {
      budgetTokens: 1024,
    });
    for (let step = 0; step < 3; step++) {
      const result = await refocus(input);
      const events = recorder.record(result, {
        head: 0,
        policy: 'random',
        budgetTokens: 1024,
        trigger: 'block',
        timeMs: step,
      });
      for (const event of events) expect(telemetryEventSchema.parse(event)).toEqual(event);
      const frame = events.at(-1)!;
      expect(frame.type === 'refocus' && frame.layout.kind).toBe(step === 0 ? 'keyframe' : 'delta');
      input = { ...input, layout: result.layout, state: result.state };
    }
  });
});
