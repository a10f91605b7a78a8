import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followView } from './follow-view.ts';
import { fitSteps } from '../../model/step-axis.ts';
import { fitTokens } from '../../model/token-axis.ts';

const HEIGHT = 400;
const run = {
  cursor: 32_000,
  frameCount: 1000,
  shownIndex: 999,
  following: true,
  replaced: false,
  height: HEIGHT,
};
const auto = { autoTokens: true, autoSteps: true, tokens: fitTokens(0), steps: fitSteps(0, HEIGHT) };

describe('the windows', () => {
  it('do not move for frames that arrive while an old step is shown', () => {
    fc.assert(
      fc.property(
        fc.nat(999),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        (at, growth) => {
          const live = { ...auto, ...followView(auto, run) };
          const looking = { ...run, following: false, shownIndex: at };
          const before = { ...live, ...followView(live, looking) };
          let now = before;
          let { cursor, frameCount } = looking;
          for (const frames of growth) {
            frameCount += frames;
            cursor += frames * 32;
            now = { ...now, ...followView(now, { ...looking, cursor, frameCount }) };
          }
          expect(now.tokens).toBe(before.tokens);
          expect(now.steps).toBe(before.steps);
        },
      ),
    );
  });

  it('grow and scroll with the run while the newest step is shown', () => {
    const first = followView(auto, run);
    expect(first.tokens).toEqual(fitTokens(32_000));
    const next = followView(
      { ...auto, ...first },
      { ...run, cursor: 32_032, frameCount: 1001, shownIndex: 1000 },
    );
    expect(next.tokens.end).toBe(32_032);
    expect(next.steps.top).toBeGreaterThan(first.steps.top);
  });

  it('fit a run that takes another one’s place, from its playhead on', () => {
    const other = { ...run, cursor: 4096, frameCount: 128, shownIndex: 0, following: false, replaced: true };
    const shown = followView({ ...auto, ...followView(auto, run) }, other);
    expect(shown.tokens).toEqual(fitTokens(4096));
    expect(shown.steps.top).toBe(0);
  });

  it('stay where the user put them', () => {
    const own = { ...auto, autoTokens: false, autoSteps: false, tokens: { start: 5, end: 9 } };
    expect(followView(own, { ...run, replaced: true })).toEqual({ tokens: own.tokens, steps: own.steps });
  });
});
