/** What an answer was read from, as numbered places: each jumps to its step and span, and opens its text. */
import { useMemo, useState } from 'react';
import type { HeadCitation } from '../../../core/trace/citations.ts';
import { K } from '../../../core/tree/ids.ts';
import type { ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import { answerCitations, settledAt } from '../../model/answer-citations.ts';
import { formatCount, formatScore, formatSpan } from '../../words/format.ts';
import { headNames } from '../../words/heads.ts';
import { useModel, useRecording, useRunView, useSession } from '../../view/hooks.ts';

/** A place of a few blocks is shown whole. */
const TEXT_CHARACTERS = 1200;

interface CitationsProps {
  /** The answer's first token. */
  readonly answerStart: number;
}

export function Citations({ answerStart }: CitationsProps) {
  const { run } = useRunView().source;
  const recorded = useRecording((state) => state.recording?.provenance);
  const live = useSession((state) => state.provenance);
  const provenance = recorded ?? live;
  const settled = settledAt(run, answerStart);
  const citations = useMemo(() => answerCitations(run, provenance, settled), [run, provenance, settled]);
  const [opened, setOpened] = useState<number | null>(null);
  if (citations.length === 0) return null;
  return (
    <section className="citations" aria-label="What it was read from">
      <ol>
        {citations.map((citation) => (
          <Place
            key={citation.number}
            citation={citation}
            title={titleAt(provenance, citation)}
            isOfSeveral={run.routingAt(settled) !== undefined}
            isOpen={opened === citation.number}
            onToggle={() => {
              setOpened(opened === citation.number ? null : citation.number);
            }}
          />
        ))}
      </ol>
    </section>
  );
}

interface PlaceProps {
  readonly citation: HeadCitation;
  readonly title: string;
  /** The run has several heads: whose place it is, is said. */
  readonly isOfSeveral: boolean;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function Place({ citation, title, isOfSeveral, isOpen, onToggle }: PlaceProps) {
  const view = useRunView();
  const { shell } = useModel();
  const isRecorded = useRecording((state) => state.recording !== null);
  const [text, setText] = useState<string | null>(null);
  const { number, start, end, score, step, opened, heads } = citation;
  const by = isOfSeveral ? `, ${headNames(heads)}` : '';
  const seek = () => {
    view.seekTo(view.run.indexOfStep(step));
    view.showOneOf(heads);
    view.viewport.showSpan({ start, end });
    view.viewport.set({ selection: { lod: 0, start, end: start + K } });
  };
  const toggle = () => {
    onToggle();
    if (isOpen) return;
    seek();
    if (isRecorded || text !== null) return;
    view.readSpan(start, end, TEXT_CHARACTERS).then(
      (read) => {
        setText(read.text.trim() + (read.truncated ? '…' : ''));
      },
      (error: unknown) => {
        setText(error instanceof Error ? error.message : String(error));
      },
    );
  };
  return (
    <li>
      <button
        type="button"
        className="citation"
        aria-expanded={isOpen}
        title={`${opened ? 'Opened for this question' : 'Stood open, and scored high'} at step ${formatCount(step)}, score ${formatScore(score)}${by}`}
        onClick={toggle}
      >
        <span className="citation-number tabular">
          <span className="visually-hidden">Source </span>
          {number}
        </span>
        <span className="citation-title" translate="no">
          {title}
        </span>
        {isOfSeveral && <span className="citation-heads">{headNames(heads)}</span>}
        <span className="muted tabular">{formatSpan(start, end)}</span>
      </button>
      {isOpen && (
        <div className="citation-text">
          {isRecorded ? (
            <p className="muted">A recording keeps no text but what the model wrote.</p>
          ) : (
            <blockquote translate="no">{text ?? '…'}</blockquote>
          )}
          <p className="muted small">
            {opened ? 'Opened' : 'Stood open'} at{' '}
            <button
              type="button"
              className="link"
              title="Show the step on the timeline"
              onClick={() => {
                shell.setState({ mobileTab: 'timeline' });
                seek();
              }}
            >
              step {formatCount(step)}
            </button>{' '}
            with a score of {formatScore(score)}
            {by}
          </p>
        </div>
      )}
    </li>
  );
}

function titleAt(provenance: readonly ProvenanceRun[], { start, end }: HeadCitation): string {
  const middle = (start + end) / 2;
  return provenance.find((run) => run.start <= middle && middle < run.end)?.title ?? 'Unknown';
}
