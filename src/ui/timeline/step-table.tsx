/** The shown step as a table: the timeline's twin for the keyboard and screen readers. */
import { select, seekBy } from '../commands/view-actions.ts';
import { currentRun } from '../run/current-run.ts';
import { useShownIndexSlowly } from '../run/shown-frame.ts';
import { useView } from '../state/view-store.ts';
import { formatCount, formatPlural, formatScore } from '../words/format.ts';
import { actionTitle } from '../words/reasons.ts';
import { entryAtToken } from './hit.ts';
import { entryCost } from './slots.ts';

export function StepTable() {
  const index = useShownIndexSlowly();
  const selection = useView((state) => state.selection);
  const frame = currentRun.frameAt(index);
  if (!frame) return <div className="step-table">No steps yet.</div>;
  const layout = currentRun.layoutAt(index);
  const scored = currentRun.scoredLayoutAt(index);
  return (
    <div className="step-table" tabIndex={0} role="region" aria-label="Blocks of the shown step">
      <table>
        <caption>
          Step {formatCount(frame.step)}: {formatPlural(layout.length, 'block')} in{' '}
          {formatCount(frame.usedTokens)} of {formatCount(frame.budgetTokens)} slots, policy {frame.policy}.{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              seekBy(-1);
            }}
          >
            Previous step
          </button>{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              seekBy(1);
            }}
          >
            Next step
          </button>
        </caption>
        <thead>
          <tr>
            <th scope="col">Detail</th>
            <th scope="col" className="number">
              First token
            </th>
            <th scope="col" className="number">
              Tokens
            </th>
            <th scope="col" className="number">
              Slots
            </th>
            <th scope="col" className="number">
              Score
            </th>
            <th scope="col">At this step</th>
          </tr>
        </thead>
        <tbody>
          {layout.map((entry) => {
            const [lod, start, end] = entry;
            const at = scored ? entryAtToken(scored, start) : -1;
            const actions = frame.actions.filter(
              (action) => action.applied && action.start < end && action.end > start,
            );
            return (
              <tr key={`${lod}:${start}`} aria-selected={selection?.start === start && selection.lod === lod}>
                <th scope="row">
                  <button
                    type="button"
                    className="link"
                    onClick={() => {
                      select({ lod, start, end });
                    }}
                  >
                    <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
                    {lod === 0 ? 'raw' : `LOD${lod}`}
                  </button>
                </th>
                <td className="number">{formatCount(start)}</td>
                <td className="number">{formatCount(end - start)}</td>
                <td className="number">{entryCost(entry)}</td>
                <td className="number">{at >= 0 ? formatScore(frame.scores[at]!) : '–'}</td>
                <td>{actions.map(actionTitle).join(', ')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
