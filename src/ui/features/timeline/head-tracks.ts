/** The tracks that only a run of several heads has: what its router chose, and how its staging context served. */
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { Track } from '../../model/tracks.ts';
import { formatPercent } from '../../words/format.ts';

export const HEAD_TRACKS: readonly Track[] = [
  {
    id: 'router',
    label: 'Router',
    name: 'Heads that the router chose',
    sentence:
      'A cell a head, head 0 on the left, filled where the base reads it, the stronger the more confident the router was: the chosen heads’ share of the softmax of the utilities.',
    kind: 'cells',
    columns: 1,
    min: 0,
    max: 1,
    band: null,
    suits: ({ headIds }) => headIds.some((id) => id > 0 && id !== STAGING_HEAD),
    values: (_, run, index) => {
      const routing = run.routingAt(index);
      if (!routing) return null;
      const { utilities, chosen, confidence } = routing;
      return utilities.map((_, head) => (chosen.includes(head) ? confidence : 0));
    },
    words: (_, run, index) => {
      const routing = run.routingAt(index);
      if (!routing) return { why: 'The run had one head at this step: there was nothing to choose.' };
      const { chosen, utilities, confidence } = routing;
      return `${chosen.length === utilities.length ? 'all' : chosen.join(',')} ${formatPercent(confidence)}`;
    },
  },
  {
    id: 'staging',
    label: 'Staging',
    name: 'Staging hit rate and age',
    sentence:
      'Bar: of the blocks that heads expanded at the step, the share that staging held as fine or finer. Dot: how old its view was, from 0 to the staging cadence.',
    kind: 'bar-dot',
    columns: 1,
    min: 0,
    max: 1,
    band: null,
    suits: ({ headIds }) => headIds.includes(STAGING_HEAD),
    values: (_, run, index) => {
      const staging = run.stagingAt(index);
      if (!staging) return null;
      const cadence = run.configAt(index)?.stagingEveryTokens ?? staging.servedTokens;
      return [hitRate(staging) ?? 0, cadence > 0 ? staging.ageTokens / cadence : 0];
    },
    words: (_, run, index) => {
      const staging = run.stagingAt(index);
      if (!staging) return { why: 'There was no staging context at this step.' };
      const rate = hitRate(staging);
      return rate === null ? { why: 'No head expanded anything at this step.' } : formatPercent(rate);
    },
  },
];

/** Null where no head expanded anything. */
function hitRate({ hits, misses }: TelemetryEventOf<'staging'>): number | null {
  return hits + misses === 0 ? null : hits / (hits + misses);
}
