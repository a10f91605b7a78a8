/** The metric tracks beside the matrix: what each shows, its scale, its target band, its wording. */
import { formatDuration, formatPercent, formatPlural, formatScore } from '../../words/format.ts';
import type { Frame } from '../../model/frame.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import type { MissingFigure, Track } from '../../model/tracks.ts';
import { HEAD_TRACKS } from './head-tracks.ts';

const UNSCORED: MissingFigure = {
  why: 'No block was scored at this step: everything in the window was pinned, recent or the only one.',
};
const UNTIMED: MissingFigure = { why: 'The trace has no times of this step.' };

function whyNoDeltaNll(frame: Frame, run: RunFrames, index: number): MissingFigure {
  const event = run.deltaNllAt(index);
  if (event) return { why: event.why ?? 'The full history was not read.' };
  const every = run.configAt(index)?.deltaNllEverySteps ?? 0;
  if (every === 0) return { why: 'The parameter “Measure ΔNLL” was off at this step.' };
  if (frame.step % every !== 0) {
    return { why: `ΔNLL is measured every ${formatPlural(every, 'refocus', 'refocuses')}, not at this one.` };
  }
  return { why: 'Fewer than 64 tokens were waiting to be read, and ΔNLL is measured on the next 64.' };
}

function whyNoPatchNll(frame: Frame, run: RunFrames, index: number): MissingFigure {
  const isExact = run.configAt(index)?.kvMode !== 'patch';
  if (isExact)
    return { why: 'The KV mode was not “patch” at this step: nothing was kept that could differ.' };
  return whyNoDeltaNll(frame, run, index);
}

export const METRIC_TRACKS: readonly Track[] = [
  {
    id: 'utilisation',
    label: 'Budget',
    name: 'Budget use',
    sentence: 'Working-context cost / W_max. Target band 80–100%.',
    kind: 'area',
    columns: 1,
    min: 0,
    max: 1.05,
    band: [0.8, 1],
    values: (frame) => [frame.utilisation],
    words: (frame) => formatPercent(frame.utilisation),
  },
  {
    id: 'swapRate',
    label: 'Swaps',
    name: 'Swap rate',
    sentence: 'Actions applied / blocks in the context, per refocus. Target ≤ 0.25.',
    kind: 'bar',
    columns: 1,
    min: 0,
    max: 0.3,
    band: [0, 0.25],
    values: (frame) => [frame.swapRate],
    words: (frame) => frame.swapRate.toFixed(2),
  },
  {
    id: 'actions',
    label: '▼ ▲',
    name: 'Collapses and expansions',
    sentence: 'Collapses (left) and expansions (right) of each refocus.',
    kind: 'mirror',
    columns: 1,
    min: 0,
    max: null,
    band: null,
    values: (frame) => [frame.collapses + frame.evictions, frame.expansions],
    words: (frame) => `${frame.collapses + frame.evictions} / ${frame.expansions}`,
  },
  ...HEAD_TRACKS,
  {
    id: 'heat',
    label: 'Scores by block',
    name: 'Scores by block',
    sentence:
      'The score of every block in the context, oldest on the left: green wants to expand, violet to collapse.',
    kind: 'heat',
    columns: 2,
    min: 0,
    max: 1,
    band: null,
    values: (frame) => (frame.scoreCount ? frame.scores : null),
    words: (frame) =>
      frame.scoreCount ? `${formatScore(frame.scoreMin)} … ${formatScore(frame.scoreMax)}` : UNSCORED,
  },
  {
    id: 'deltaNll',
    label: 'ΔNLL',
    name: 'ΔNLL',
    sentence:
      'ΔNLL@64 against the full raw history, nats per token. Target ≤ 0.1. Turn on “Measure ΔNLL” to see it.',
    kind: 'dot',
    columns: 1,
    min: -0.2,
    max: 0.6,
    band: [-0.2, 0.1],
    values: (_, run, index) => {
      const delta = run.deltaNllAt(index)?.deltaNll;
      return delta === null || delta === undefined ? null : [delta];
    },
    words: (frame, run, index) => {
      const delta = run.deltaNllAt(index)?.deltaNll;
      return delta === null || delta === undefined ? whyNoDeltaNll(frame, run, index) : formatScore(delta);
    },
  },
  {
    id: 'latency',
    label: 'Time',
    name: 'Time by stage',
    sentence: 'Milliseconds of each stage: ingest, gist, score, allocate, decode, telemetry.',
    kind: 'stack',
    columns: 1,
    min: 0,
    max: null,
    band: null,
    values: (_, run, index) => {
      const stages = run.latenciesAt(index);
      return stages ? [...stages] : null;
    },
    words: (_, run, index) => {
      const stages = run.latenciesAt(index);
      return stages ? formatDuration(stages.reduce((sum, ms) => sum + ms, 0)) : UNTIMED;
    },
  },
  {
    id: 'score',
    label: 'Score',
    name: 'Score range',
    sentence: 'Lowest, mean and highest score over the entries, from −1 (collapse me) to +1 (expand me).',
    kind: 'range',
    columns: 1,
    min: -1,
    max: 1,
    band: null,
    values: (frame) => (frame.scoreCount ? [frame.scoreMin, frame.scoreMean, frame.scoreMax] : null),
    words: (frame) => (frame.scoreCount ? formatScore(frame.scoreMax) : UNSCORED),
  },
  {
    id: 'patch',
    // Says something in one KV mode only.
    beginsHidden: true,
    label: 'Patch',
    name: 'Extra NLL of the patched cache',
    sentence:
      'NLL of the next 64 tokens with the patched cache minus that with all slots run anew, nats per token. Target ≤ 0.02. Measured with ΔNLL while the KV mode is “patch”.',
    kind: 'dot',
    columns: 1,
    min: -0.1,
    max: 0.2,
    band: [-0.1, 0.02],
    values: (_, run, index) => {
      const extra = run.deltaNllAt(index)?.patchExtraNll;
      return extra === undefined ? null : [extra];
    },
    words: (frame, run, index) => {
      const extra = run.deltaNllAt(index)?.patchExtraNll;
      return extra === undefined ? whyNoPatchNll(frame, run, index) : extra.toFixed(3);
    },
  },
];
