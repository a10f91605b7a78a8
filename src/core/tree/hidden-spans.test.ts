import { describe, expect, it } from 'vitest';
import { HiddenSpans } from './hidden-spans.ts';

describe('hidden spans', () => {
  const hidden = new HiddenSpans([
    { start: 200, end: 300 },
    { start: 40, end: 100 },
    { start: 100, end: 130 },
  ]);

  it('hold what lies within one of them, joined where they meet', () => {
    expect(hidden.holds(40, 130)).toBe(true);
    expect(hidden.holds(39, 41)).toBe(false);
    expect(hidden.holds(96, 131)).toBe(false);
    expect(hidden.holds(130, 200)).toBe(false);
    expect(hidden.holds(224, 256)).toBe(true);
  });

  it('take the blocks along that they touch, and no gist that stands for others, too', () => {
    expect(hidden.holdsBlocks(32, 64)).toBe(true);
    expect(hidden.holdsBlocks(128, 160)).toBe(true);
    expect(hidden.holdsBlocks(160, 192)).toBe(false);
    expect(hidden.holdsBlocks(0, 1024)).toBe(false);
    expect(new HiddenSpans([{ start: 3, end: 2000 }]).holdsBlocks(0, 1024)).toBe(true);
  });

  it('are none at first', () => {
    expect(new HiddenSpans().isEmpty).toBe(true);
    expect(new HiddenSpans([{ start: 5, end: 5 }]).isEmpty).toBe(true);
    expect(new HiddenSpans().holds(0, 1)).toBe(false);
  });
});
