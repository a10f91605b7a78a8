/** What a move to the cold tier, or back from it, was, in a sentence. Pure. */
import { countNodes } from '../../core/tree/node-runs.ts';
import type { TelemetryEventOf } from '../../core/trace/telemetry.ts';
import { formatBytes, formatNats, formatPlural } from './format.ts';

/** `412 raw blocks (52.7 kB), by the rules; losing 6 of them was measured at +0.003 nats/token.` */
export function pruningSentence({ runs, reason, measured }: TelemetryEventOf<'prune'>): string {
  const levels = [...new Set(runs.map(({ lod }) => lod))].map((lod) => {
    const own = runs.filter((run) => run.lod === lod);
    const bytes = own.reduce((sum, run) => sum + run.bytes, 0);
    const what = lod === 0 ? 'raw block' : `LOD${lod} gist`;
    return `${formatPlural(countNodes(own), what)} (${formatBytes(bytes)})`;
  });
  const by = reason === 'manual' ? 'by hand' : 'by the rules';
  const cost =
    measured === undefined
      ? ''
      : `; losing ${measured.nodes} of them was measured at ${formatNats(measured.meanDeltaNll)} nats/token`;
  return `${levels.join(', ')}, ${by}${cost}.`;
}
