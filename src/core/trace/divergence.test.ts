import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from './config.ts';
import type { RunConfig } from './config.ts';
import { type MeasuredFrame, RunningMetrics, metricDifferences } from './run-comparison-metrics.ts';
import { compareTexts } from './run-comparison-text.ts';
import { type ComparedRun, type Divergence, alignRuns, compareContexts, compareRuns } from './divergence.ts';
import { placeOfKey } from './divergence.ts';
import type { ActionRecord, LayoutEntry } from './telemetry.ts';

/** What a run of the tests is made of: per step the tokens that came, the blocks expanded, and a score. */
type Script = readonly {
  readonly tokens: number;
  readonly expanded: readonly number[];
  readonly score: number;
}[];

interface TestRun extends ComparedRun {
  frameAt(index: number): MeasuredFrame | undefined;
  deltaNllAt(index: number): { readonly deltaNll: number | null } | undefined;
  latenciesAt(index: number): ArrayLike<number> | undefined;
}

const expansion = (block: number): ActionRecord => ({
  ...{ kind: 'expand', lod: 1, start: block * 32, end: block * 32 + 32, toLod: 0, score: 0.5, rank: 1 },
  ...{ costDelta: 31, reason: 'score-above-tau', applied: true, pass: 0 },
});

/** Blocks at LOD1 until they are expanded, once and for all. */
function runOf(
  script: Script,
  config: (step: number) => RunConfig = () => DEFAULT_RUN_CONFIG,
  decoded = new Map<number, string>(),
): TestRun {
  const frames: MeasuredFrame[] = [];
  const layouts: LayoutEntry[][] = [];
  let blocks = 0;
  const raw = new Set<number>();
  script.forEach(({ tokens, expanded, score }, i) => {
    blocks += tokens;
    const actions = expanded.filter((block) => block < blocks && !raw.has(block)).map(expansion);
    for (const { start } of actions) raw.add(start / 32);
    const layout = Array.from({ length: blocks }, (_, block): LayoutEntry => [
      raw.has(block) ? 0 : 1,
      block * 32,
      block * 32 + 32,
    ]);
    const usedTokens = blocks + 31 * raw.size;
    frames.push({
      ...{ step: i + 1, cursor: blocks * 32, windowStart: 0, usedTokens, entryCount: blocks, actions },
      ...{ scores: Array.from({ length: blocks }, () => score), trigger: 'block', coherence: null },
      ...{ swapRate: blocks === 0 ? 0 : actions.length / blocks, utilisation: 0.5, meanResidency: 1 },
    });
    layouts.push(layout);
  });
  const configs = script.map((_, i) => config(i + 1));
  return {
    frameCount: frames.length,
    frameAt: (index) => frames[index],
    layoutAt: (index) => layouts[index] ?? [],
    configAt: (index) => configs[index] ?? null,
    decodedAt: (position) => {
      const text = decoded.get(position);
      return text === undefined ? undefined : { tokenId: text.length, text };
    },
    deltaNllAt: (index) => (index % 2 === 0 ? { deltaNll: index } : undefined),
    latenciesAt: () => [1, 2],
  };
}

const scripts = fc.array(
  fc.record({
    tokens: fc.integer({ min: 0, max: 3 }),
    expanded: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 2 }),
    score: fc.constantFrom(-0.5, 0, 0.5),
  }),
  { minLength: 1, maxLength: 20 },
);
const alignments = fc.constantFrom('step' as const, 'tokens' as const);

const divergences = (a: ComparedRun, b: ComparedRun, by: 'step' | 'tokens' = 'step') =>
  compareRuns(a, b, alignRuns(a, b, by));

/** The same divergence seen from the other side. */
function mirrored(divergence: Divergence): Divergence {
  if (divergence.kind === 'end') return { ...divergence, ended: divergence.ended === 'a' ? 'b' : 'a' };
  return 'a' in divergence ? ({ ...divergence, a: divergence.b, b: divergence.a } as Divergence) : divergence;
}

describe('two runs', () => {
  it('never part when they are the same', () => {
    fc.assert(
      fc.property(scripts, alignments, (script, by) => {
        expect(divergences(runOf(script), runOf(script), by)).toEqual([]);
      }),
    );
  });

  it('part at the end of one that is the beginning of the other', () => {
    fc.assert(
      fc.property(scripts, fc.nat(), (script, cut) => {
        const length = cut % script.length;
        const found = divergences(runOf(script.slice(0, length)), runOf(script));
        expect(found).toEqual([{ kind: 'end', place: length, ended: 'a' }]);
      }),
    );
  });

  it('part alike whichever comes first', () => {
    fc.assert(
      fc.property(scripts, scripts, alignments, (left, right, by) => {
        const [a, b] = [runOf(left), runOf(right)];
        expect(divergences(b, a, by)).toEqual(divergences(a, b, by).map(mirrored));
      }),
    );
  });

  it('part where the first thing differs, with what it is', () => {
    const step = (expanded: number[], score = 0.5) => ({ tokens: 1, expanded, score });
    const base = [step([]), step([0]), step([1]), step([2])];
    const other = runOf([step([]), step([0]), step([], 0.1), step([2])], (at) =>
      at < 2 ? DEFAULT_RUN_CONFIG : { ...DEFAULT_RUN_CONFIG, tauExpand: 0.7 },
    );
    expect(divergences(runOf(base), other)).toEqual([
      { kind: 'parameter', place: 1, ids: ['tauExpand'] },
      { kind: 'score', place: 2, entry: 0, a: 0.5, b: 0.1 },
      { kind: 'action', place: 2, a: expansion(1), b: null },
    ]);
    const wrote = (text: string) => runOf(base, undefined, new Map([[40, text]]));
    expect(divergences(wrote('sea'), wrote('harbour'))).toEqual([
      { kind: 'tokens', place: 1, position: 40, a: 'sea', b: 'harbour' },
    ]);
  });

  it('stand on one playhead by step or by the length of the history', () => {
    const once = { tokens: 1, expanded: [], score: 0 };
    const [a, b] = [runOf([once, once, once]), runOf([once, { ...once, tokens: 0 }, { ...once, tokens: 2 }])];
    const byStep = alignRuns(a, b, 'step');
    expect([[...byStep.keys], [...byStep.a], [...byStep.b]]).toEqual([
      [1, 2, 3],
      [0, 1, 2],
      [0, 1, 2],
    ]);
    const byTokens = alignRuns(a, b, 'tokens');
    expect([[...byTokens.keys], [...byTokens.a], [...byTokens.b]]).toEqual([
      [32, 64, 96],
      [0, 1, 2],
      [1, 1, 2],
    ]);
    expect([0, 32, 70, 999].map((key) => placeOfKey(byTokens, key))).toEqual([0, 0, 1, 2]);
  });
});

describe('the metrics of two runs', () => {
  it('are those of their beginnings up to the playhead', () => {
    const run = runOf([
      { tokens: 2, expanded: [0], score: 0 },
      { tokens: 0, expanded: [], score: 0 },
      { tokens: 2, expanded: [2, 3], score: 0 },
    ]);
    const metrics = new RunningMetrics(run);
    expect(metrics.at(1)).toMatchObject({ refocuses: 2, expansions: 1, swapRate: 0.25, historyTokens: 64 });
    expect(metrics.at(2)).toMatchObject({ expansions: 3, deltaNll: 1, stagesMs: 3, coherence: null });
    expect(metrics.at(-1).refocuses).toBeNull();
    const rows = metricDifferences(metrics.at(0), metrics.at(2));
    expect(rows.find(({ id }) => id === 'expansions')).toEqual({
      id: 'expansions',
      a: 1,
      b: 3,
      difference: 2,
    });
    expect(rows.find(({ id }) => id === 'coherence')?.difference).toBeNull();
  });
});

/** Random tilings of a history of 2,048 tokens by blocks and LOD2 gists, perhaps without its beginning. */
const layouts = fc
  .tuple(
    fc.integer({ min: 0, max: 63 }),
    fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 66, maxLength: 66 }),
  )
  .map(([first, lods]) => {
    const layout: LayoutEntry[] = [];
    for (let block = first; block < 64;) {
      const isGist = lods[block] === 2 && block % 32 === 0;
      const count = isGist ? 32 : 1;
      layout.push([isGist ? 2 : lods[block]! % 2, block * 32, (block + count) * 32]);
      block += count;
    }
    return layout;
  });

describe('two contexts', () => {
  it('divide into stretches that hold each entry once and begin and end in both', () => {
    fc.assert(
      fc.property(layouts, layouts, (a, b) => {
        const stretches = compareContexts(a, b);
        expect(stretches.flatMap((stretch) => stretch.a)).toEqual(a);
        expect(stretches.flatMap((stretch) => stretch.b)).toEqual(b);
        for (const { a: left, b: right, start, end, isSame } of stretches) {
          for (const side of [left, right]) {
            if (side.length === 0) continue;
            // A window may begin inside an entry of the other.
            const isFirst = side[0] === a[0] || side[0] === b[0];
            expect([isFirst ? start : side[0]![1], side.at(-1)![2]]).toEqual([start, end]);
          }
          expect(isSame).toBe(left.length === 1 && JSON.stringify(left) === JSON.stringify(right));
        }
        expect(compareContexts(a, a).every(({ isSame }) => isSame)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('two texts', () => {
  const texts = fc.array(fc.constantFrom('sea', ' sea', 'light ', '\n', 'pier', ' '), { maxLength: 12 });
  const joined = (pieces: readonly { readonly text: string }[]) => pieces.map(({ text }) => text).join('');

  it('are their pieces, and share the same words', () => {
    fc.assert(
      fc.property(texts, texts, (left, right) => {
        const [a, b] = [left.join(''), right.join('')];
        const compared = compareTexts(a, b);
        expect([joined(compared.a), joined(compared.b)]).toEqual([a, b]);
        const shared = (side: typeof compared.a) => joined(side.filter(({ isShared }) => isShared));
        expect(shared(compared.a)).toBe(shared(compared.b));
        expect(compareTexts(a, a).a.every(({ isShared }) => isShared)).toBe(true);
      }),
    );
  });

  it('differ in the fewest words', () => {
    expect(compareTexts('the old pier is red', 'the new pier is very red').b).toEqual([
      { text: 'the', isShared: true },
      { text: ' new', isShared: false },
      { text: ' pier is', isShared: true },
      { text: ' very', isShared: false },
      { text: ' red', isShared: true },
    ]);
  });
});
