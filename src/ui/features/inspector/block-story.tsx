/** What happened to a block over the run: its score against the thresholds, and its actions in words. */
import { area, line } from 'd3';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { scoreHistory, spanActions, spanPrunings } from '../../model/block-history.ts';
import type { Thresholds } from '../../../core/allocator/pass/allocator-state.ts';
import { blockStanding } from '../../model/block-standing.ts';
import { useRunView } from '../../view/hooks.ts';
import { useShownParameter } from '../../view/shown-parameter.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { formatCount, formatScore, formatSpan } from '../../words/format.ts';
import { actionSentence, actionTitle, collapseRule, standingSentence } from '../../words/reasons.ts';

interface StoryProps {
  readonly block: BlockRef;
  /** The frame up to which the story is told. */
  readonly index: number;
}

const WIDTH = 300;
const HEIGHT = 72;
const STEPS_SHOWN = 160;
const ACTIONS_SHOWN = 6;

export function ScoreHistory({ block, index }: StoryProps) {
  const { run } = useRunView();
  const thresholds = useThresholds()(index);
  const { tauExpand, tauCollapse } = thresholds;
  const cooldownSteps = useShownParameter('cooldownSteps', 2);
  const points = scoreHistory(run, block.start, block.end, index, STEPS_SHOWN);
  const last = points.at(-1);
  const first = points[0];
  if (!last || !first) return null;
  const coolingSteps = run.configAt(index)?.cooldownSteps ?? cooldownSteps;
  const standing = blockStanding(run, block, index, thresholds, coolingSteps);
  const x = (at: number) => ((at - first.index) / Math.max(1, last.index - first.index)) * WIDTH;
  const y = (score: number) => ((1 - score) / 2) * HEIGHT;
  const path = line<(typeof points)[number]>(
    (point) => x(point.index),
    (point) => y(point.score),
  )(points);
  const fill = area<(typeof points)[number]>(
    (point) => x(point.index),
    () => y(0),
    (point) => y(point.score),
  )(points);
  return (
    <section>
      <h4>
        Score <span className="tabular">{formatScore(last.score)}</span>
        {standing && (
          <span className="standing tabular">
            {' '}
            rank {formatCount(standing.rank)} of {formatCount(standing.count)} at the shown step
          </span>
        )}
      </h4>
      <svg
        className="sparkline"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Score over ${points.length} steps, now ${formatScore(last.score)}; expands above ${formatScore(tauExpand)}, collapses ${collapseRule(thresholds)}`}
      >
        <rect className="zone-expand" x={0} y={0} width={WIDTH} height={y(tauExpand)} />
        <rect
          className="zone-collapse"
          x={0}
          y={y(-tauCollapse)}
          width={WIDTH}
          height={HEIGHT - y(-tauCollapse)}
        />
        <line className="zero" x1={0} x2={WIDTH} y1={y(0)} y2={y(0)} />
        <path className="spark-area" d={fill ?? ''} />
        <path className="spark-line" d={path ?? ''} />
      </svg>
      <p className="spark-axis muted small tabular">
        <span>step {formatCount(run.frameAt(first.index)?.step ?? 0)}</span>
        <span>
          ▲ above {formatScore(tauExpand)} · ▼ {collapseRule(thresholds)}
        </span>
        <span>{formatCount(run.frameAt(last.index)?.step ?? 0)}</span>
      </p>
      {standing && <p className="small standing-words">{standingSentence(standing, thresholds)}</p>}
    </section>
  );
}

export function ActionHistory({ block, index }: StoryProps) {
  const view = useRunView();
  const { run } = view;
  const thresholdsAt = useThresholds();
  const actions = spanActions(run, block.start, block.end, index, ACTIONS_SHOWN);
  const moves = spanPrunings(run, block, index);
  return (
    <section>
      <h4>Why</h4>
      {actions.length === 0 ? (
        <p className="muted">Nothing was done to this span up to the shown step.</p>
      ) : (
        <ol className="actions">
          {actions.map(({ action, step, index: at, paidFor }, i) => (
            <li key={`${at}:${i}`} className={action.applied ? '' : 'is-refused'}>
              <button
                type="button"
                title="Go to this step"
                onClick={() => {
                  view.seekTo(at);
                }}
              >
                <span className={`glyph glyph-${action.kind}`} aria-hidden>
                  {action.kind === 'expand' ? '▲' : action.kind === 'collapse' ? '▼' : '✕'}
                </span>
                <strong>{actionTitle(action)}</strong>
                <span className="muted tabular">step {formatCount(step)}</span>
              </button>
              <p className="muted">{actionSentence(action, thresholdsAt(at))}</p>
              <Payments title="Paid for by" blocks={action.applied ? (action.paidBy ?? []) : []} />
              {paidFor && (
                <Payments title="Made room for" blocks={[[paidFor.lod, paidFor.start, paidFor.end]]} />
              )}
            </li>
          ))}
        </ol>
      )}
      {moves.map(({ from, event }) => (
        <p key={from} className="muted small">
          {event.action === 'prune'
            ? `Its detail went to the cold tier after step ${formatCount(event.step)}: it cannot be expanded until it is restored.`
            : `Its detail was restored from the cold tier after step ${formatCount(event.step)}.`}
        </p>
      ))}
    </section>
  );
}

/** The other side of a trade, each block a link to it. */
function Payments({ title, blocks }: { readonly title: string; readonly blocks: readonly LayoutEntry[] }) {
  const view = useRunView();
  if (blocks.length === 0) return null;
  return (
    <p className="muted payments">
      {title}:{' '}
      {blocks.map(([lod, start, end]) => (
        <button
          key={`${lod}:${start}`}
          type="button"
          className="link"
          onClick={() => {
            view.select({ lod, start, end });
          }}
        >
          <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
          LOD{lod} {formatSpan(start, end)}
        </button>
      ))}
    </p>
  );
}

/** The thresholds in force at a frame: the strategy's where it moves them, else those of the parameters then. */
function useThresholds(): (index: number) => Thresholds {
  const { run } = useRunView();
  const tauExpand = useShownParameter('tauExpand', 0.2);
  const tauCollapse = useShownParameter('tauCollapse', 0.2);
  const now = { tauExpand, tauCollapse };
  return (index) => run.frameAt(index)?.thresholds ?? run.configAt(index) ?? now;
}
