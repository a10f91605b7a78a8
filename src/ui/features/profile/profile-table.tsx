/** The rows of one group of a profile, the longest first, each beside what the machine would allow. */
import { type ProfileGroup, type ProfileTally } from '../../../core/profile/profile.ts';
import { type MachineLimits, boundOf } from '../../../core/profile/roofline.ts';
import { Missing } from '../../widgets/missing.tsx';
import {
  formatBytes,
  formatCompact,
  formatCount,
  formatDuration,
  formatPercent,
} from '../../words/format.ts';

interface ProfileTableProps {
  readonly group: ProfileGroup;
  readonly title: string;
  readonly tally: ProfileTally;
  readonly limits: MachineLimits | null;
}

const NO_BYTES =
  'Bytes and arithmetic are counted for what the base, and with kernels timed the nets, are asked to do.';

export function ProfileTable({ group, title, tally, limits }: ProfileTableProps) {
  const rows = tally.rows.filter((row) => row.group === group).sort((a, b) => b.ms - a.ms);
  if (rows.length === 0) return null;
  const totalMs = rows.reduce((sum, { ms }) => sum + ms, 0);
  const isStage = group === 'stage';
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={`${title}, figures`}>
        <table className="figures" translate="no">
          <thead>
            <tr>
              <th scope="col">Name</th>
              {['Calls', 'Time', 'Share', 'Mean', 'Longest', 'Tokens'].map(columnHead)}
              {!isStage && ['Bytes', 'Operations', 'Kernels', 'At least', 'Reached'].map(columnHead)}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const share = totalMs > 0 ? row.ms / totalMs : 0;
              const bound = limits === null ? null : boundOf(row, limits);
              return (
                <tr key={row.name}>
                  <th scope="row" className="profile-bar" style={{ backgroundSize: `${share * 100}% 100%` }}>
                    {row.name}
                  </th>
                  <td className="number">{formatCount(row.calls)}</td>
                  <td className="number">{formatDuration(row.ms)}</td>
                  <td className="number">{formatPercent(share)}</td>
                  <td className="number">{formatDuration(row.ms / row.calls)}</td>
                  <td className="number">{formatDuration(row.longestMs)}</td>
                  <td className="number">{row.tokens > 0 ? formatCount(row.tokens) : ''}</td>
                  {!isStage && (
                    <>
                      <td className="number">
                        {row.bytes === null ? <Missing why={NO_BYTES} /> : formatBytes(row.bytes)}
                      </td>
                      <td className="number">
                        {row.flops === null ? <Missing why={NO_BYTES} /> : formatCompact(row.flops)}
                      </td>
                      <td className="number">{row.dispatches > 0 ? formatCount(row.dispatches) : ''}</td>
                      <td className="number" title={bound === null ? undefined : `Held up by ${bound.by}`}>
                        {bound === null ? (
                          <Missing why={limits === null ? 'Measure the machine first.' : NO_BYTES} />
                        ) : (
                          formatDuration(bound.ms)
                        )}
                      </td>
                      <td className="number">{bound !== null && formatPercent(bound.ms / row.ms)}</td>
                    </>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function columnHead(name: string) {
  return (
    <th key={name} scope="col" className="number">
      {name}
    </th>
  );
}
