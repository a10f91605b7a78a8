/** Figures and differences of a comparison in words. Pure. */
import { parameterNamed } from '../../../core/parameters/parameters.ts';
import type { ComparedMetric } from '../../../core/trace/run-comparison-metrics.ts';
import type { Divergence } from '../../../core/trace/divergence.ts';
import { formatCount, formatDuration, formatNats, formatPercent, formatToken } from '../../words/format.ts';
import { actionLine } from '../../words/reasons.ts';

interface MetricWords {
  readonly label: string;
  readonly hint: string;
  readonly format: (value: number) => string;
  /** Where a run has refocuses and still no such figure. */
  readonly whyMissing?: string;
}

const twoDigits = (value: number) => value.toFixed(2);

export const METRIC_WORDS: Readonly<Record<ComparedMetric, MetricWords>> = {
  historyTokens: { label: 'History', hint: 'Tokens read so far', format: formatCount },
  refocuses: { label: 'Refocuses', hint: 'LensNet and allocator passes so far', format: formatCount },
  swapRate: {
    label: 'Swap rate',
    hint: 'Actions / blocks, mean over refocuses',
    format: (x) => x.toFixed(3),
  },
  flipRate: { label: 'Flip rate', hint: 'Actions undone within 4 refocuses', format: formatPercent },
  meanResidency: { label: 'Residency', hint: 'Refocuses that a block stays at its LOD', format: twoDigits },
  utilisation: { label: 'Budget use', hint: 'Working-context cost / W_max', format: formatPercent },
  coherence: {
    label: 'Coherence',
    whyMissing: 'No gist has scored above τ_expand up to the playhead.',
    hint: 'Share of gists above τ_expand that expanded',
    format: formatPercent,
  },
  deltaNll: {
    label: 'ΔNLL',
    hint: 'Mean of what was measured, nats per token',
    format: formatNats,
    whyMissing:
      'ΔNLL was not measured up to the playhead: the parameter was off, too few tokens waited, or the full history is longer than the base reads well.',
  },
  expansions: { label: 'Expansions', hint: 'Applied so far', format: formatCount },
  collapses: { label: 'Collapses', hint: 'Applied so far', format: formatCount },
  forcedCollapses: {
    label: 'Forced collapses',
    hint: 'Because the budget was exceeded',
    format: formatCount,
  },
  evictions: { label: 'Evictions', hint: 'Spans that left the window', format: formatCount },
  refused: { label: 'Refused', hint: 'Candidates that were not applied', format: formatCount },
  stagesMs: {
    label: 'Time per step',
    hint: 'All stages, mean',
    format: formatDuration,
    whyMissing: 'The trace has no times up to the playhead.',
  },
};

/** A difference with its sign; null where a side has no figure. */
export function differenceWords(id: ComparedMetric, difference: number | null): string | null {
  if (difference === null) return null;
  const size = METRIC_WORDS[id].format(Math.abs(difference)).replace(/^[+−]/, '');
  if (difference === 0 || Number.parseFloat(size) === 0) return '=';
  return `${difference < 0 ? '−' : '+'}${size}`;
}

/** What differs at a place: its name, and A's and B's side of it. */
export function divergenceWords(divergence: Divergence): { readonly title: string; readonly detail: string } {
  switch (divergence.kind) {
    case 'parameter':
      return { title: 'Parameters', detail: divergence.ids.map(parameterLabel).join(', ') };
    case 'tokens':
      if (divergence.a === null && divergence.b === null) {
        return { title: 'History', detail: `other tokens from ${formatCount(divergence.position)} on` };
      }
      return {
        title: 'Answer',
        detail: `token ${formatCount(divergence.position)}: ${tokenWords(divergence.a)} in A, ${tokenWords(divergence.b)} in B`,
      };
    case 'score':
      return {
        title: 'Scores',
        detail: `${scoreWords(divergence.a)} in A, ${scoreWords(divergence.b)} in B`,
      };
    case 'action':
      return {
        title: 'Actions',
        detail: `A: ${divergence.a ? actionLine(divergence.a) : 'none'}; B: ${divergence.b ? actionLine(divergence.b) : 'none'}`,
      };
    case 'context':
      return { title: 'Contexts', detail: `from token ${formatCount(divergence.token)} on` };
    case 'end':
      return { title: 'End', detail: `${divergence.ended.toUpperCase()} ends before this` };
    default:
      return divergence satisfies never;
  }
}

export function parameterLabel(id: string): string {
  return parameterNamed(id)?.label ?? id;
}

/** More digits than elsewhere: the first difference may be small. */
const scoreWords = (score: number) => `${score < 0 ? '−' : '+'}${Math.abs(score).toFixed(4)}`;

function tokenWords(text: string | null): string {
  return text === null ? 'nothing' : `“${formatToken(text)}”`;
}
