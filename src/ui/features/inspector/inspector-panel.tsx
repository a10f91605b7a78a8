/** Everything about the selected block: its text, scores, actions with their reasons, metadata, and what can be done to it. */
import { MousePointerClick } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { BlockReport } from '../../../runtime/engine/protocol/protocol.ts';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import { RecordedBlock } from './recorded-block.tsx';
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { queriedHead } from '../../model/run-view.ts';
import { type BlockRef } from '../../model/viewport.ts';
import { formatPlural } from '../../words/format.ts';
import { BlockHeading } from './block-heading.tsx';
import { BlockActs } from './block-acts.tsx';
import { Metadata, Neighbours, Sensitivity } from './block-facts.tsx';
import { ActionHistory, ScoreHistory } from './block-story.tsx';
import { Continuation } from './continuation.tsx';
import { stagedReport } from './staged-report.ts';
import { TokenView } from './token-view.tsx';
import { TokenComparison } from './token-comparison.tsx';
import {
  useModel,
  useRunView,
  useRecording,
  useSession,
  useSteering,
  useChordWords,
  useViewport,
} from '../../view/hooks.ts';

export function InspectorPanel() {
  const selection = useViewport((state) => state.selection);
  const isRecorded = useRecording((state) => state.recording !== null);
  if (!selection) {
    return (
      <div className="inspector-empty">
        <MousePointerClick size={24} aria-hidden />
        <h3>No block selected</h3>
        <p className="muted">
          Click a block in the timeline, or press <SelectKeys />, to read its text, its scores and why it was
          expanded or collapsed.
        </p>
      </div>
    );
  }
  if (isRecorded) return <RecordedBlock block={selection} />;
  return <BlockInspector key={`${selection.lod}:${selection.start}`} block={selection} />;
}

function SelectKeys() {
  const chordWords = useChordWords();
  return chordWords('Shift+D').map((key) => <kbd key={key}>{key}</kbd>);
}

function BlockInspector({ block }: { readonly block: BlockRef }) {
  const chordWords = useChordWords();
  const { engine } = useModel();
  const view = useRunView();
  const { viewport } = view;
  const head = useViewport(() => queriedHead(view));
  const isStaging = useViewport(() => view.head === STAGING_HEAD);
  const { lod, start, end } = block;
  const index = useShownIndexSlowly();
  const step = useSession((state) => state.session?.step ?? 0);
  const running = useSession((state) => state.running);
  const [answered, setReport] = useState<BlockReport | null>(null);
  const [failure, setFailure] = useState('');
  const busy = useSteering((state) => state.busy);
  const [measurements, setMeasurements] = useState(0);
  /** What the last act by hand did, if it was done here: it outlives the change of level that it caused. */
  const effect = useSteering((state) => (state.effect?.block.start === start ? state.effect : null));
  /** While running, the report is read anew only now and then. */
  const readAt = running ? Math.floor(step / 16) : step;

  useEffect(() => {
    let current = true;
    engine.send({ kind: 'inspect', lod, start, end, head }).then(
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
  }, [engine, head, lod, start, end, readAt, busy, measurements]);

  const report =
    answered && isStaging ? stagedReport(answered, view.run.layoutAt(view.run.frameCount - 1)) : answered;
  return (
    <div className="inspector" aria-label="Selected block">
      <BlockHeading block={block}>
        {report && <Presence report={report} place={isStaging ? 'staging context' : 'working context'} />}
      </BlockHeading>
      {report ? (
        <>
          <BlockActs report={report} />
          {effect && <TokenComparison {...effect.nextTokens} />}
          <Continuation effect={effect} />
          <section>
            <h4>{lod === 0 ? 'Text' : 'Text it stands for'}</h4>
            <p className={`block-text ${lod === 0 ? '' : 'is-gist'}`}>{report.text || '(empty)'}</p>
            <TokenView block={block} />
          </section>
        </>
      ) : (
        <p className="muted">{failure || 'Reading the block…'}</p>
      )}
      <ScoreHistory block={block} index={index} />
      <ActionHistory block={block} index={index} />
      {report && (
        <>
          <Sensitivity
            report={report}
            onMeasured={() => {
              setMeasurements((count) => count + 1);
            }}
          />
          <Neighbours report={report} />
          <Metadata report={report} />
        </>
      )}
      <button
        type="button"
        className="link"
        onClick={() => {
          viewport.focusSelection();
        }}
      >
        Zoom to this block ({chordWords('f').join(' ')})
      </button>
    </div>
  );
}

function Presence({ report, place }: { readonly report: BlockReport; readonly place: string }) {
  const words = report.inWorkingContext
    ? `In the ${place} as it is`
    : report.currentLod === null
      ? `Outside the ${place}`
      : `In the ${place} at LOD${report.currentLod}`;
  return (
    <p className="presence">
      {words}
      {report.pinned && ', pinned'}
      {report.hidden ? ', hidden with its document' : report.forbidden && ', forbidden to expand'}
      {report.tag !== null && `, tagged “${report.tag}”`}
      {report.cooldownLeft > 0 &&
        `, cooling down for ${formatPlural(report.cooldownLeft, 'refocus', 'refocuses')}`}
    </p>
  );
}
