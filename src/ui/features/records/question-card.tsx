/** Over the timeline: the recorded question that is shown, what was expected and what was decoded, side by side. */
import { ArrowLeft, ArrowRight } from 'lucide-react';
import { useStore } from 'zustand';
import type { ReadQuestion } from '../../../core/question-records/record.ts';
import { useModel, useRecording } from '../../view/hooks.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatCount, formatSpan } from '../../words/format.ts';

export function QuestionCard() {
  const { questions } = useModel();
  const question = useRecording((state) => state.recording?.question ?? null);
  useStore(questions.store);
  if (question === null) return null;
  const { listed } = questions;
  const at = listed.indexOf(question.index);
  const { record } = question;
  return (
    <section className="question-card" aria-label="Recorded question">
      <header>
        <h2>
          <Verdict isAnswered={record.isAnswered} /> <span className="question-asked">{record.asked}</span>
        </h2>
        <span className="muted small tabular" role="status">
          {at < 0 ? 'Not in the list' : `${formatCount(at + 1)} of ${formatCount(listed.length)}`}
        </span>
        <IconButton
          icon={ArrowLeft}
          label="Previous question"
          disabled={at === 0}
          onClick={() => void questions.chooseNeighbour(-1)}
        />
        <IconButton
          icon={ArrowRight}
          label="Next question"
          disabled={at === listed.length - 1}
          onClick={() => void questions.chooseNeighbour(1)}
        />
      </header>
      <dl translate="no">
        <div>
          <dt>Expected</dt>
          <dd>
            {record.expected.length === 0
              ? 'That the text does not say.'
              : record.expected.map((value, i) => <q key={i}>{value}</q>)}
          </dd>
        </div>
        <div>
          <dt>Decoded</dt>
          <dd>{record.decoded.trim() === '' ? '(nothing)' : record.decoded}</dd>
        </div>
        <div>
          <dt>{goldWords(record)}</dt>
          <dd>
            {record.goldTexts.map((text, i) => (
              <p key={i}>
                {text.trim()} <span className="muted tabular">({formatSpan(...record.gold![i]!)})</span>
              </p>
            ))}
            {record.gold === null && 'Nobody says which tokens hold the answer.'}
          </dd>
        </div>
      </dl>
    </section>
  );
}

export function Verdict({ isAnswered }: { readonly isAnswered: boolean }) {
  return (
    <strong className={`verdict ${isAnswered ? 'is-right' : 'is-wrong'}`}>
      {isAnswered ? '✓ Right' : '✗ Wrong'}
    </strong>
  );
}

/** Whether it was in sight; the mark is that of the timeline. */
function goldWords({ isRouted }: ReadQuestion): string {
  if (isRouted === null) return '▾ Gold';
  return isRouted ? '▾ Gold, raw when the answer began' : '▾ Gold, not raw when the answer began';
}
