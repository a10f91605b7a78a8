/** What was measured of a model, as its manifest says: single figures, then one fold for each suite and task. */
import type { ModelFigure } from './figure-groups.ts';
import { groupFigures } from './figure-groups.ts';
import { formatCount } from '../../words/format.ts';

export function ModelFigures({ figures }: { readonly figures: readonly ModelFigure[] }) {
  const { single, groups } = groupFigures(figures);
  return (
    <>
      <h4>Measured</h4>
      <Figures figures={single} />
      {groups.map(({ title, figures: own }) => (
        <details key={title} className="figure-group">
          <summary>
            {title} <span className="muted">{formatCount(own.length)}</span>
          </summary>
          <Figures figures={own} />
        </details>
      ))}
    </>
  );
}

function Figures({ figures }: { readonly figures: readonly ModelFigure[] }) {
  return (
    <dl className="facts" translate="no">
      {figures.map(({ name, value, n, ci95, command }) => (
        <div key={name} title={command}>
          <dt>{name}</dt>
          <dd>
            {digits(value)}{' '}
            <span className="muted">
              {ci95.length === 2 && `[${digits(ci95[0]!)}, ${digits(ci95[1]!)}] `}n {formatCount(n)}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
