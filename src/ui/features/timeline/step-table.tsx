/** The shown step as a table: the timeline's twin for the keyboard and screen readers. */
import { Missing } from '../../widgets/missing.tsx';
import { walkItems } from '../../widgets/walk-items.ts';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import { formatCount, formatPlural, formatScore } from '../../words/format.ts';
import { actionTitle } from '../../words/reasons.ts';
import type { RunView } from '../../model/run-view.ts';
import { entryAtToken } from '../../model/entry-search.ts';
import { entryCost } from './slots.ts';
import { useRunView, useViewport } from '../../view/hooks.ts';

export function StepTable() {
  const view = useRunView();
  const { run } = view;
  const index = useShownIndexSlowly();
  const selection = useViewport((state) => state.selection);
  const table = useRef<HTMLDivElement>(null);
  /** Where the focus was: a block that split or merged passes it on to what now covers its first token. */
  const focusedToken = useRef<number | null>(null);
  useEffect(() => {
    if (focusedToken.current === null || document.activeElement !== document.body) return;
    const at = entryAtToken(view.run.layoutAt(index), focusedToken.current);
    blockButtons(table.current)[at]?.focus();
  }, [index, view]);
  const frame = run.frameAt(index);
  if (!frame) return <div className="step-table">No steps yet.</div>;
  const layout = run.layoutAt(index);
  const scored = run.scoredLayoutAt(index);
  const { scores } = frame;
  const gold = view.source.gold ?? [];
  return (
    <div
      ref={table}
      className="step-table"
      translate="no"
      tabIndex={0}
      role="region"
      aria-label="Blocks of the shown step"
      aria-description="Up and down walk the blocks, left and right the steps."
      onKeyDown={(event) => {
        walk(event, table.current, view);
      }}
    >
      <table>
        <caption>
          Step {formatCount(frame.step)}: {formatPlural(layout.length, 'block')} in{' '}
          {formatCount(frame.usedTokens)} of {formatCount(frame.budgetTokens)} slots, policy {frame.policy}.{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              view.seekBy(-1);
            }}
          >
            Previous step
          </button>{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              view.seekBy(1);
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
                    data-block
                    onFocus={() => {
                      focusedToken.current = start;
                    }}
                    onClick={() => {
                      view.select({ lod, start, end });
                    }}
                  >
                    <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
                    {lod === 0 ? 'raw' : `LOD${lod}`}
                  </button>
                </th>
                <td className="number">{formatCount(start)}</td>
                <td className="number">{formatCount(end - start)}</td>
                <td className="number">{entryCost(entry)}</td>
                <td className="number">
                  {at >= 0 ? (
                    formatScore(scores[at]!)
                  ) : (
                    <Missing why="The policy did not score it: recent tokens and what no move can change get no score." />
                  )}
                </td>
                <td>
                  {[
                    ...(gold.some((span) => span.start < end && start < span.end)
                      ? ['Holds the answer']
                      : []),
                    ...actions.map(actionTitle),
                  ].join(', ')}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function blockButtons(table: HTMLElement | null): readonly HTMLElement[] {
  return [...(table?.querySelectorAll<HTMLElement>('[data-block]') ?? [])];
}

/** Up and down go from block to block, Home and End to the first and last, left and right from step to step. */
function walk(event: KeyboardEvent, table: HTMLElement | null, view: RunView): void {
  if (walkItems(event, blockButtons(table))) return;
  if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
  view.seekBy(event.key === 'ArrowLeft' ? -1 : 1);
  event.preventDefault();
  event.stopPropagation();
}
