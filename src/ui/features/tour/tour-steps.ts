/** The five steps of the tour: what each points at and says. Pure. */
import type { MobileTab } from '../../model/shell.ts';

export interface TourStep {
  readonly title: string;
  /** @param key - says a chord as the user's keyboard has it. */
  readonly text: (key: (chord: string) => string) => string;
  /** The element pointed at. */
  readonly target: string;
  /** Where it is on a narrow screen. */
  readonly mobileTab: MobileTab;
}

export const TOUR_STEPS: readonly TourStep[] = [
  {
    title: 'What the model sees',
    text: () =>
      'Each box is a block in the working context. Warm boxes are raw tokens, cool ones are gists that stand for 32 or 1,024 tokens each. The ribbons lead to where they lie in the history.',
    target: '.timeline-strip',
    mobileTab: 'timeline',
  },
  {
    title: 'Every step of it',
    text: (key) =>
      `From left to right the history, from top to bottom the refocus steps. ▲ expands a block, ▼ collapses one. ${key('w')} and ${key('s')} zoom, ${key('a')} and ${key('d')} pan, ${key('t')} shows the step as a table.`,
    target: '.timeline-body',
    mobileTab: 'timeline',
  },
  {
    title: 'Play it back',
    text: (key) =>
      `Space plays, ← and → go step by step, “${key('.')}” jumps to the next action. ${key('i')} and ${key('o')} mark a range, ${key('l')} loops it, End follows the newest step again.`,
    target: '.transport',
    mobileTab: 'timeline',
  },
  {
    title: 'Ask, and watch focus move',
    text: () =>
      'A question makes the model refocus: the blocks that matter expand before it answers. Click any block to see why it is at its level.',
    target: '#chat-input',
    mobileTab: 'chat',
  },
  {
    title: 'Change the rules',
    text: () =>
      'Every parameter acts at the next refocus. The presets tell three stories: a topic that shifts, a needle far back, and thresholds that thrash.',
    target: '[aria-label="Presets"]',
    mobileTab: 'setup',
  },
];
