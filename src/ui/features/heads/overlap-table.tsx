/** Of every two heads, the share of what either holds raw that both hold: the overlap matrix as a table. */
import { overlapMatrix } from '../../../core/heads/coverage.ts';
import { formatPercent, formatPlural } from '../../words/format.ts';
import { headName } from '../../words/heads.ts';

interface OverlapTableProps {
  /** The heads, in order. */
  readonly heads: readonly number[];
  /** Of each, the blocks that it holds raw beyond its recent window. */
  readonly held: readonly ReadonlySet<number>[];
}

export function OverlapTable({ heads, held }: OverlapTableProps) {
  const matrix = overlapMatrix(held);
  return (
    <table className="figures overlap-table" translate="no" aria-label="Overlap of heads">
      <caption className="muted">
        Overlap: of the blocks that either head holds raw beyond its recent window, the share that both hold.
      </caption>
      <thead>
        <tr>
          <td />
          {heads.map((head) => (
            <th key={head} scope="col">
              {headName(head)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {heads.map((head, row) => (
          <tr key={head}>
            <th scope="row">{headName(head)}</th>
            {heads.map((other, column) => (
              <td
                key={other}
                style={{ '--share': matrix[row]![column]! }}
                className={row === column ? 'is-own' : undefined}
              >
                {row === column
                  ? formatPlural(held[row]!.size, 'block')
                  : formatPercent(matrix[row]![column]!)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
