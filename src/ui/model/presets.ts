/** The presets: each a text, parameters, a question, and what to watch. They tell a story about focus. Pure. */
import type { RunConfig } from '../../core/trace/config.ts';

export interface Preset {
  readonly id: 'topic-shift' | 'needle' | 'four-questions' | 'thrashing';
  readonly title: string;
  readonly story: string;
  /** One sentence: where to look while it runs. */
  readonly watch: string;
  /** Where the parameters differ from the model's defaults. */
  readonly config: Partial<RunConfig>;
  /** Chapters of the example, first to last; each list is ingested after the one before. */
  readonly chapters: readonly [readonly number[], ...(readonly number[])[]];
  /** Parameters set between the first and the second list, and a sentence about what changes. */
  readonly change: { readonly config: Partial<RunConfig>; readonly watch: string } | null;
  /** Put into the chat when the text has been read. */
  readonly question: string | null;
}

/** What keeps focus steady; the thrashing preset takes it away and gives it back. */
const STEADY = ['tauExpand', 'tauCollapse', 'cooldownSteps', 'maxActions'] as const;

/** @param defaults - of the model, which the thrashing preset returns to. */
export function presetsFor(defaults: RunConfig): readonly Preset[] {
  return [
    {
      id: 'topic-shift',
      title: 'Topic shift',
      story:
        'Two chapters about the harbour, seven about the market, the church and the sea, then a question about the first. Focus has to come back to pages that have long been gists.',
      watch: 'Ask, then look at the bottom rows: does anything expand at the far left, and what pays for it?',
      config: {},
      chapters: [[1, 10, 2, 3, 4, 5, 6, 7, 8]],
      change: null,
      question: 'What does a wig cost at Rosen?',
    },
    {
      id: 'needle',
      title: 'Needle',
      story:
        'One sentence among 14,000 tokens, stated once, some 9,000 tokens back; the budget holds 512. Only the question says that it matters.',
      watch: 'Ask, then step with “.”: does the raw block with the answer open, and in how many steps?',
      config: { budgetTokens: 512, recentTokens: 128 },
      chapters: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]],
      change: null,
      question: 'Where did the Blythe family put their map?',
    },
    {
      id: 'four-questions',
      title: 'Four questions at once',
      story:
        'Four facts from four chapters, asked for in one breath. Four heads divide the budget, each takes one sentence of the question, and what they read is merged for every token.',
      watch:
        'Ask, then look at the lanes: which head opens which fact? The shipped model says a sentence for each question but mixes some of them up, so look at what is opened, too; mute a head and ask again. “Head by head” says how often each was read and what it was worth to the others.',
      config: { heads: 4, headCues: 'part', deltaNllEverySteps: 16 },
      chapters: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
      change: null,
      question:
        'What does a wig cost at Rosen? Where did the Blythe family put their map? At what hour leaves the Upton steamer? What does Ewan Frost feed at home?',
    },
    {
      id: 'thrashing',
      title: 'Thrashing',
      story:
        'No thresholds, no cooldown, 16 actions a step, scores from dice: blocks flip open and shut. Half way, hysteresis comes back.',
      watch: 'Follow one column of blocks: about seven moves in ten are undone within four steps.',
      config: { policy: 'random', tauExpand: 0, tauCollapse: 0, cooldownSteps: 0, maxActions: 16 },
      chapters: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      change: {
        config: Object.fromEntries(STEADY.map((id) => [id, defaults[id]])),
        watch:
          'Same dice, but thresholds, cooldown and action limit are back: about three moves in ten are undone now, and the swap rate falls by half.',
      },
      question: null,
    },
  ];
}

/** A chapter begins where a line names it. */
const CHAPTER = /^(?=Chapter [A-Z])/m;

/**
 * The chapters named, in the order given; a number that the text does not have is left out.
 *
 * @param numbers - from 1.
 */
export function chaptersOf(text: string, numbers: readonly number[]): string {
  const [, ...chapters] = text.split(CHAPTER);
  return numbers.map((number) => chapters[number - 1] ?? '').join('');
}
