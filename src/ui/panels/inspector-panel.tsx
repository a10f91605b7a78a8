/** Everything about the selected block: its text, scores, actions with their reasons, metadata, and what can be done to it. */
import { ChevronDown, ChevronUp, MousePointerClick, Pin, PinOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { BlockReport } from '../../runtime/protocol.ts';
import { focusSelection, select } from '../commands/view-actions.ts';
import { send } from '../run/engine-session.ts';
import { type ActOutcome, type ManualAct, actOnBlock } from '../run/session-actions.ts';
import { useShownIndexSlowly } from '../run/shown-frame.ts';
import { RecordedBlock } from '../share/recorded-block.tsx';
import { useRecording } from '../state/recording-store.ts';
import { useSession } from '../state/session-store.ts';
import { type BlockRef, useView } from '../state/view-store.ts';
import { formatCount, formatPlural, formatSpan } from '../words/format.ts';
import { ActionHistory, ScoreHistory } from './block-story.tsx';
import { TokenComparison } from './token-comparison.tsx';

export function InspectorPanel() {
  const selection = useView((state) => state.selection);
  const isRecorded = useRecording((state) => state.recording !== null);
  /** What the last manual act did, and to which span: it outlives the change of level that the act caused. */
  const [effect, setEffect] = useState<{ readonly start: number; readonly outcome: ActOutcome } | null>(null);
  if (!selection) {
    return (
      <div className="inspector-empty">
        <MousePointerClick size={24} aria-hidden />
        <h3>No block selected</h3>
        <p className="muted">
          Click a block in the timeline, or press <kbd>⇧</kbd> <kbd>D</kbd>, to read its text, its scores and
          why it was expanded or collapsed.
        </p>
      </div>
    );
  }
  if (isRecorded) return <RecordedBlock block={selection} />;
  return (
    <BlockInspector
      key={`${selection.lod}:${selection.start}`}
      block={selection}
      outcome={effect?.start === selection.start ? effect.outcome : null}
      onOutcome={(outcome) => {
        setEffect({ start: selection.start, outcome });
      }}
    />
  );
}

interface BlockInspectorProps {
  readonly block: BlockRef;
  readonly outcome: ActOutcome | null;
  readonly onOutcome: (outcome: ActOutcome) => void;
}

function BlockInspector({ block, outcome, onOutcome }: BlockInspectorProps) {
  const { lod, start, end } = block;
  const index = useShownIndexSlowly();
  const step = useSession((state) => state.session?.step ?? 0);
  const running = useSession((state) => state.running);
  const [report, setReport] = useState<BlockReport | null>(null);
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  /** While running, the report is read anew only now and then. */
  const readAt = running ? Math.floor(step / 16) : step;

  useEffect(() => {
    let current = true;
    send({ kind: 'inspect', lod, start, end }).then(
      (answer) => {
        if (current) setReport(answer);
      },
      (error: unknown) => {
        if (current) setFailure(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      current = false;
    };
  }, [lod, start, end, readAt]);

  const act = async (action: ManualAct) => {
    setBusy(true);
    const done = await actOnBlock(action, block);
    setBusy(false);
    if (!done) return;
    onOutcome(done);
    // A block and its LOD1 gist cover the same span: stay on what now represents it.
    if (action === 'expand' && lod === 1) select({ lod: 0, start, end });
    else if (action === 'collapse' && lod === 0) select({ lod: 1, start, end });
    send({ kind: 'inspect', lod, start, end }).then(setReport, () => {});
  };

  return (
    <div className="inspector" aria-label="Selected block">
      <header className="inspector-head">
        <h3>
          <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
          {lod === 0 ? 'Raw tokens' : `Gist, LOD${lod}`}
        </h3>
        <p className="muted tabular">
          {formatSpan(start, end)} · {formatPlural(end - start, 'token')}
        </p>
        {report && <Presence report={report} />}
      </header>
      {report ? (
        <>
          <Acts report={report} busy={busy} onAct={(action) => void act(action)} />
          {outcome && <TokenComparison outcome={outcome} />}
          <section>
            <h4>{lod === 0 ? 'Text' : 'Text it stands for'}</h4>
            <p className={`block-text ${lod === 0 ? '' : 'is-gist'}`}>{report.text || '(empty)'}</p>
          </section>
        </>
      ) : (
        <p className="muted">{failure || 'Reading the block…'}</p>
      )}
      <ScoreHistory block={block} index={index} />
      <ActionHistory block={block} index={index} />
      {report && (
        <>
          <Neighbours report={report} lod={lod} />
          <Metadata report={report} />
        </>
      )}
      <button type="button" className="link" onClick={focusSelection}>
        Zoom to this block (F)
      </button>
    </div>
  );
}

function Presence({ report }: { readonly report: BlockReport }) {
  const words = report.inWorkingContext
    ? 'In the working context as it is'
    : report.currentLod === null
      ? 'Outside the working context'
      : `In the working context at LOD${report.currentLod}`;
  return (
    <p className="presence">
      {words}
      {report.pinned && ', pinned'}
      {report.cooldownLeft > 0 &&
        `, cooling down for ${formatPlural(report.cooldownLeft, 'refocus', 'refocuses')}`}
    </p>
  );
}

function Acts({
  report,
  busy,
  onAct,
}: {
  readonly report: BlockReport;
  readonly busy: boolean;
  readonly onAct: (action: ManualAct) => void;
}) {
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const blocked = readOnly ? 'This session is open in another tab.' : busy ? 'Working…' : null;
  const moves = [
    { action: 'expand', icon: ChevronUp, label: 'Expand', rule: report.canExpand },
    { action: 'collapse', icon: ChevronDown, label: 'Collapse', rule: report.canCollapse },
  ] as const;
  return (
    <section className="acts">
      <div className="button-row">
        {moves.map(({ action, icon: Icon, label, rule }) => (
          <button
            key={action}
            type="button"
            className="button"
            disabled={blocked !== null || !rule.legal}
            title={blocked ?? rule.why}
            onClick={() => {
              onAct(action);
            }}
          >
            <Icon size={14} aria-hidden /> {label}
          </button>
        ))}
        <button
          type="button"
          className="button"
          disabled={blocked !== null}
          aria-pressed={report.pinned}
          title="Pinned blocks keep their level of detail whatever the policy says"
          onClick={() => {
            onAct(report.pinned ? 'unpin' : 'pin');
          }}
        >
          {report.pinned ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />}
          {report.pinned ? 'Unpin' : 'Pin'}
        </button>
      </div>
      <ul className="muted small why-not">
        {refusals(report).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </section>
  );
}

/** Why a move is not offered; said once if both fail for the same reason. */
function refusals({ canExpand, canCollapse }: BlockReport): string[] {
  if (!canExpand.legal && !canCollapse.legal && canExpand.why === canCollapse.why) return [canExpand.why];
  return [
    ...(canExpand.legal ? [] : [`Cannot expand: ${canExpand.why}`]),
    ...(canCollapse.legal ? [] : [`Cannot collapse: ${canCollapse.why}`]),
  ];
}

function Neighbours({ report, lod }: { readonly report: BlockReport; readonly lod: number }) {
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
                select({ lod: Math.max(lod, 1), start, end });
              }}
            >
              <span className="tabular">{cosine.toFixed(2)}</span>
              <span className="neighbour-text">{text.trim()}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Metadata({ report }: { readonly report: BlockReport }) {
  const source = report.provenance.map(({ title, role }) =>
    role === 'document' ? title : `${role}: ${title}`,
  );
  const facts: readonly (readonly [string, string])[] = [
    ['Source', [...new Set(source)].join(', ') || '–'],
    ['Made at step', report.createdAtStep === null ? '–' : formatCount(report.createdAtStep)],
    ['Gist version', report.gistVersion === null ? '–' : String(report.gistVersion)],
    ['Residency', formatPlural(report.residencySteps, 'refocus', 'refocuses')],
    ['Expanded / collapsed', `${formatCount(report.expansions)} / ${formatCount(report.collapses)}`],
    ['Accesses', formatCount(report.accessCount)],
    ['Last access', report.lastAccessStep === null ? '–' : `step ${formatCount(report.lastAccessStep)}`],
  ];
  return (
    <section>
      <h4>Metadata</h4>
      <dl className="facts">
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
