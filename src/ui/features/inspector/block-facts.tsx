/** What the tree knows of a block: its neighbours in meaning, what its detail is worth, where it came from. */
import type { ReactNode } from 'react';
import { Missing } from '../../widgets/missing.tsx';
import { useState } from 'react';
import type { BlockReport, SensitivityReport } from '../../../runtime/engine/protocol/protocol.ts';
import { formatCount, formatMoment, formatNats, formatPlural, formatSpan } from '../../words/format.ts';
import { useModel, useRunView, useSession } from '../../view/hooks.ts';

export function Neighbours({ report }: { readonly report: BlockReport }) {
  const view = useRunView();
  if (report.neighbours.length === 0) return null;
  return (
    <section>
      <h4>Nearest gists</h4>
      <ul className="neighbours">
        {report.neighbours.map(({ start, end, cosine, text }) => (
          <li key={start}>
            <button
              type="button"
              title={formatSpan(start, end)}
              onClick={() => {
                view.select({ lod: Math.max(report.lod, 1), start, end });
              }}
            >
              <span className="tabular">{cosine.toFixed(2)}</span>
              <span className="neighbour-text" translate="no">
                {text.trim()}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface SensitivityProps {
  readonly report: BlockReport;
  readonly onMeasured: () => void;
}

/** Runs the counterfactual for this block and says what it came to. */
export function Sensitivity({ report, onMeasured }: SensitivityProps) {
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const { engine } = useModel();
  const [measuring, setMeasuring] = useState(false);
  const [measured, setMeasured] = useState<SensitivityReport | null>(null);
  const { lod, start, end, sensitivity } = report;
  const measure = async () => {
    setMeasuring(true);
    const command = { kind: 'measureSensitivity', lod, start, end } as const;
    const answer = await engine.attempt('The sensitivity was not measured', command);
    setMeasuring(false);
    if (!answer) return;
    setMeasured(answer);
    onMeasured();
  };
  return (
    <section aria-label="Sensitivity">
      <h4>
        What its detail is worth{' '}
        <span className="tabular">{sensitivity === null ? '' : `${formatNats(sensitivity)} nats/token`}</span>
      </h4>
      <p className="muted small" role="status">
        {measured
          ? `The newest ${formatPlural(measured.horizonTokens, 'token')} cost ${measured.fineNll.toFixed(3)} nats each with it ${lod === 0 ? 'raw' : 'expanded'}, ${measured.coarseNll.toFixed(3)} with one gist in its place.`
          : sensitivity === null
            ? 'Not measured yet: how much worse the newest tokens are predicted when one gist stands for it.'
            : 'Measured earlier in this run.'}
      </p>
      <button
        type="button"
        className="button"
        disabled={measuring || readOnly}
        title="Predict the newest tokens twice: with this block one level finer, and as one gist"
        onClick={() => void measure()}
      >
        {measuring ? 'Measuring…' : sensitivity === null ? 'Measure' : 'Measure again'}
      </button>
    </section>
  );
}

/** Texts of a coarse gist that are named; there may be thousands. */
const NAMED_SOURCES = 12;

/** Where a block came from: who wrote it, in which text, when it came in. */
function Sources({ provenance }: Pick<BlockReport, 'provenance'>) {
  const { viewport } = useRunView();
  if (provenance.length === 0) return <Missing why="Nobody noted where these tokens came from." />;
  return (
    <ul className="sources">
      {provenance.slice(0, NAMED_SOURCES).map(({ role, title, start, end, wallClockMs }) => (
        <li key={start}>
          <button
            type="button"
            className="link"
            title={`Show tokens ${formatSpan(start, end)}`}
            onClick={() => {
              viewport.showSpan({ start, end });
            }}
          >
            <span translate="no">{title}</span>
          </button>{' '}
          <span className="muted">
            {role}
            {wallClockMs > 0 && `, ${formatMoment(wallClockMs)}`}
          </span>
        </li>
      ))}
      {provenance.length > NAMED_SOURCES && (
        <li className="muted">and {formatCount(provenance.length - NAMED_SOURCES)} more</li>
      )}
    </ul>
  );
}

function ParentLink({ parent }: Pick<BlockReport, 'parent'>) {
  const view = useRunView();
  if (parent === null) return <Missing why="The gist above it is made once all of its parts are there." />;
  return (
    <button
      type="button"
      className="link"
      onClick={() => {
        view.select(parent);
      }}
    >
      LOD{parent.lod} {formatSpan(parent.start, parent.end)}
    </button>
  );
}

export function Metadata({ report }: { readonly report: BlockReport }) {
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['From', <Sources key="from" provenance={report.provenance} />],
    ['Span id', String(report.spanId)],
    ['Parent', <ParentLink key="parent" parent={report.parent} />],
    [
      'Made at step',
      report.createdAtStep === null ? (
        <Missing why="It was made before the first refocus." />
      ) : (
        formatCount(report.createdAtStep)
      ),
    ],
    ['Gist version', versionWords(report)],
    ['Residency', formatPlural(report.residencySteps, 'refocus', 'refocuses')],
    ['Cooldown', report.cooldownLeft === 0 ? 'none' : `${formatCount(report.cooldownLeft)} left`],
    ['Expanded / collapsed', `${formatCount(report.expansions)} / ${formatCount(report.collapses)}`],
    ['Accesses', formatCount(report.accessCount)],
    [
      'Last access',
      report.lastAccessStep === null ? (
        <Missing why="It has not stood in the working context yet." />
      ) : (
        `step ${formatCount(report.lastAccessStep)}`
      ),
    ],
  ];
  return (
    <section>
      <h4>Metadata</h4>
      <dl className="facts" translate="no">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="tabular">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function versionWords({ gistVersion, isStale }: BlockReport): ReactNode {
  if (gistVersion === null)
    return <Missing why="It has no gist: raw tokens, or a block that is not complete yet." />;
  return isStale ? `${gistVersion}, older than the loaded GistNet` : String(gistVersion);
}
