/** The next-token distribution before and after a manual act, token by token. */
import type { CommandResults } from '../../../runtime/engine/protocol/protocol.ts';
import { formatProbability, formatToken } from '../../words/format.ts';

interface TokenComparisonProps {
  readonly before: CommandResults['nextTokens'];
  readonly after: CommandResults['nextTokens'];
}

export function TokenComparison(tokens: TokenComparisonProps) {
  const before = new Map(tokens.before.map((token) => [token.tokenId, token]));
  const after = new Map(tokens.after.map((token) => [token.tokenId, token]));
  const rows = [...new Set([...after.keys(), ...before.keys()])].map((id) => ({
    id,
    text: (after.get(id) ?? before.get(id))!.text,
    before: before.get(id)?.probability ?? null,
    after: after.get(id)?.probability ?? null,
  }));
  const widest = Math.max(...rows.flatMap((row) => [row.before ?? 0, row.after ?? 0]), 1e-6);
  return (
    <section>
      <h4>Next token, before and after</h4>
      <table className="comparison" translate="no">
        <thead>
          <tr>
            <th scope="col">Token</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row" className="mono">
                {formatToken(row.text)}
              </th>
              <Bar value={row.before} widest={widest} kind="before" />
              <Bar value={row.after} widest={widest} kind="after" />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Bar({
  value,
  widest,
  kind,
}: {
  readonly value: number | null;
  readonly widest: number;
  readonly kind: string;
}) {
  return (
    <td>
      <i className={`bar bar-${kind}`} style={{ width: `${((value ?? 0) / widest) * 100}%` }} />
      <span className="tabular">{value === null ? 'not in top' : formatProbability(value)}</span>
    </td>
  );
}
