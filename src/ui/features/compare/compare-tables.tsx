/** The comparison's figures: where the runs part, their metrics up to the playhead, the parameters that differ. */
import { Missing } from '../../widgets/missing.tsx';
import { ArrowRight } from 'lucide-react';
import { metricDifferences } from '../../../core/trace/run-comparison-metrics.ts';
import { changedIds } from '../../../core/trace/config.ts';
import { formatCount, formatValue } from '../../words/format.ts';
import { useRunView } from '../../view/hooks.ts';
import { SIDES } from './sides.ts';
import { METRIC_WORDS, differenceWords, parameterLabel, divergenceWords } from './compare-words.ts';
import type { Comparison } from './comparison.ts';

/** What the playhead stands on at a place: a step, or a length of the history. */
export function placeWords(place: number, comparison: Comparison): string {
  const key = comparison.keyOf(place);
  if (key === undefined) return 'No steps yet';
  return comparison.by === 'step' ? `Step ${formatCount(key)}` : `Token ${formatCount(key)}`;
}

interface PartProps {
  readonly comparison: Comparison;
}

interface PlacedProps extends PartProps {
  readonly place: number;
}

export function DivergenceList({ comparison }: PartProps) {
  const view = useRunView();
  const [first] = comparison.divergences;
  return (
    <section className="compare-section" aria-label="Where the runs part">
      <h3>
        {first ? `They part at ${placeWords(first.place, comparison).toLowerCase()}` : 'They never part'}
      </h3>
      {!first && <p className="muted">Same parameters, tokens, scores and actions at every step.</p>}
      <ol className="divergence-list">
        {comparison.divergences.map((divergence) => {
          const { title, detail } = divergenceWords(divergence);
          const where = placeWords(divergence.place, comparison);
          return (
            <li key={divergence.kind}>
              <button
                type="button"
                className="button"
                aria-label={`Go to ${where.toLowerCase()}: ${title}`}
                onClick={() => {
                  view.seekTo(divergence.place);
                }}
              >
                {where} <ArrowRight size={14} aria-hidden />
              </button>
              <span>
                <strong>{title}</strong> {detail}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

export function MetricTable({ comparison, place }: PlacedProps) {
  const { metrics } = comparison;
  const rows = metricDifferences(
    metrics.a.at(comparison.indexOf('a', place)),
    metrics.b.at(comparison.indexOf('b', place)),
  );
  return (
    <table className="compare-table">
      <caption>Metrics up to the playhead</caption>
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" className="number">
            A
          </th>
          <th scope="col" className="number">
            B
          </th>
          <th scope="col" className="number">
            B − A
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, a, b, difference }) => {
          const { label, hint, format, whyMissing } = METRIC_WORDS[id];
          const words = differenceWords(id, difference);
          return (
            <tr key={id} className={words === '=' || words === null ? '' : 'differs'}>
              <th scope="row" title={hint}>
                {label}
              </th>
              {[a, b].map((value, i) => (
                <td key={i} className="number">
                  {value === null ? (
                    <Missing why={whyMissing ?? 'This run has no refocus up to the playhead.'} />
                  ) : (
                    format(value)
                  )}
                </td>
              ))}
              <td className="number">{words ?? <Missing why="One of the two runs has no such figure." />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

export function ParameterDifferences({ comparison, place }: PlacedProps) {
  const [a, b] = SIDES.map((side) =>
    comparison.frameOf(side, place) ? comparison.runOf(side).configAt(comparison.indexOf(side, place)) : null,
  );
  if (!a || !b) return null;
  const ids = changedIds(a, b);
  if (ids.length === 0) return <p className="muted">The same parameters are in force in both.</p>;
  return (
    <table className="compare-table">
      <caption>Parameters that differ here</caption>
      <thead>
        <tr>
          <th scope="col">Parameter</th>
          <th scope="col" className="number">
            A
          </th>
          <th scope="col" className="number">
            B
          </th>
        </tr>
      </thead>
      <tbody>
        {ids.map((id) => (
          <tr key={id} className="differs">
            <th scope="row">{parameterLabel(id)}</th>
            <td className="number">{formatValue(a[id])}</td>
            <td className="number">{formatValue(b[id])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
