import { describe, expect, it } from 'vitest';
import { K } from '../../core/tree/ids.ts';
import type { ActionRecord, LayoutEntry } from '../../core/trace/telemetry.ts';
import { sampleAction } from '../../core/testing/sample-events.ts';
import { standingSentence } from '../words/reasons.ts';
import { blockStanding } from './block-standing.ts';
import type { Frame } from './frame.ts';

const expand = sampleAction({ start: 1024, end: 1056 });
/** All siblings under one LOD2 gist, two raw blocks, an open one. */
const layout: LayoutEntry[] = [
  ...Array.from({ length: K }, (_, i): LayoutEntry => [1, i * K, (i + 1) * K]),
  [0, 1024, 1056],
  [0, 1056, 1088],
  [0, 1088, 1095],
];
const scores = Float32Array.from(layout, (_, i) => (i === 3 ? 0.9 : i === 5 ? 0.4 : -0.4));
scores[K] = 0.7;
scores[K + 1] = -0.6;
const half = { tauExpand: 0.2, tauCollapse: 0.2 };

function standingOf(start: number, thresholds = half, actions: ActionRecord[] = [], cooldownSteps = 2) {
  const frames = [
    { step: 7, actions, between: [], scores: new Float32Array(0) },
    { step: 8, actions: [], between: [], scores },
  ] as unknown as Frame[];
  const trace = {
    frameAt: (index: number) => frames[index],
    scoredLayoutAt: (index: number) => (index === 1 ? layout : null),
  };
  return blockStanding(trace, { start, end: start + 7 }, 1, thresholds, cooldownSteps);
}
const words = (...scene: Parameters<typeof standingOf>) =>
  standingSentence(standingOf(...scene)!, scene[1] ?? half);

describe('where a block stood in a step', () => {
  it('ranks a gist among those that ask to expand', () => {
    expect(standingOf(5 * K)).toMatchObject({
      lod: 1,
      rank: 3,
      count: 35,
      candidacy: { move: 'expand', rank: 2, count: 2 },
    });
    expect(words(5 * K)).toBe('Above τ_expand +0.20: number 2 of 2 that ask to expand, for +31 tokens.');
  });

  it('ranks what collapses by the mean of its siblings, raw blocks each for itself', () => {
    expect(standingOf(1056)!.candidacy).toMatchObject({ move: 'collapse', rank: 1, count: 2 });
    expect(standingOf(0)!.candidacy).toMatchObject({ move: 'collapse', rank: 2, count: 2 });
    expect(words(1056)).toBe('Below −τ_collapse −0.20: number 1 of 2 that ask to collapse, for −31 tokens.');
    expect(words(0)).toMatch(/^Its 32 siblings’ mean −0\.33 is below/);
  });

  it('says why a score asks for nothing', () => {
    expect(words(1024)).toBe('Above τ_expand +0.20, but raw already.');
    expect(words(1088)).toBe('Below −τ_collapse −0.20, but its block is still open.');
    expect(words(1056, { tauExpand: 0.2, tauCollapse: 0.8 })).toMatch(/asks for nothing/);
    // Under the adaptive strategy no score collapses anything: no threshold of −1.00 is claimed.
    expect(words(1056, { tauExpand: 0.1, tauCollapse: 1 })).toMatch(/nothing collapses for its score alone/);
    expect(standingOf(4000)).toBeNull();
  });

  it('knows the last move of its span, while that still cools down', () => {
    const collapse: ActionRecord = { ...expand, kind: 'collapse', lod: 1, start: 160, end: 192, toLod: 1 };
    expect(standingOf(1024, half, [expand])!.cooldown).toEqual({ move: 'collapse', left: 2 });
    expect(words(5 * K, half, [collapse])).toMatch(
      /Cooling down: it cannot expand for 2 refocuses, this one/,
    );
    expect(standingOf(1024, half, [{ ...expand, applied: false }])!.cooldown).toBeNull();
    expect(standingOf(1024, half, [expand], 0)!.cooldown).toBeNull();
  });
});
