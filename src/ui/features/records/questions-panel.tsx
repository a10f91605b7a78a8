/** The questions of a records file: which of them are listed, and what was in focus for the one that is shown. */
import { X } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import type { QuestionSummary, ReadQuestion } from '../../../core/question-records/record.ts';
import type { QuestionFilter } from '../../model/question-records.ts';
import type { RecordedQuestion } from '../../model/recordings.ts';
import { useModel, useRecording, useRunView } from '../../view/hooks.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatCount, formatPlural, formatSpan } from '../../words/format.ts';
import { Verdict } from './question-card.tsx';

/** Questions and blocks that are listed before more are asked for. */
const FEW = 100;
const FEW_BLOCKS = 12;

export function QuestionsPanel() {
  const { questions } = useModel();
  const { records, reading, filter } = useStore(questions.store);
  const shown = useRecording((state) => state.recording?.question ?? null);
  const [most, setMost] = useState(FEW);
  if (records === null) {
    return (
      <div className="questions">
        {reading && (
          <p role="status">
            Reading {reading.fileName} <progress value={reading.share} max={1} aria-label="Reading" />
          </p>
        )}
      </div>
    );
  }
  const { listed } = questions;
  const { header, file, notes } = records;
  return (
    <div className="questions">
      <header>
        <div>
          <h3 translate="no">{file.name}</h3>
          <p className="muted small">
            Model {header.modelId} on {header.backend}, seed {header.seed}
            {header.commit !== null && `, commit ${header.commit.slice(0, 10)}`}. {notes.join(' ')}
          </p>
        </div>
        <IconButton
          icon={X}
          label="Close the questions"
          onClick={() => {
            questions.close();
          }}
        />
      </header>
      <Filters questions={records.questions} filter={filter} />
      <p className="small" role="status">
        {formatCount(listed.length)} of {formatPlural(records.questions.length, 'question')} listed.
      </p>
      <ol aria-label="Questions">
        {listed.slice(0, most).map((index) => (
          <QuestionRow
            key={index}
            question={records.questions[index]!}
            isShown={shown?.index === index}
            onChoose={() => void questions.choose(index)}
          />
        ))}
      </ol>
      {listed.length > most && (
        <button
          type="button"
          className="button"
          onClick={() => {
            setMost(most + FEW);
          }}
        >
          Show more
        </button>
      )}
      {shown !== null && <BlocksInFocus key={shown.index} question={shown} />}
    </div>
  );
}

interface QuestionRowProps {
  readonly question: QuestionSummary;
  readonly isShown: boolean;
  readonly onChoose: () => void;
}

function QuestionRow({ question, isShown, onChoose }: QuestionRowProps) {
  const { asked, isAnswered, decoded, policy, task, historyTokens, isRouted } = question;
  return (
    <li>
      <button
        type="button"
        className="question-row"
        aria-current={isShown ? 'true' : undefined}
        onClick={onChoose}
      >
        <span>
          <Verdict isAnswered={isAnswered} /> {asked}
        </span>
        <span className="question-decoded">{decoded.trim() === '' ? '(nothing decoded)' : decoded}</span>
        <span className="muted small">
          {policy} · {task} · {formatCount(historyTokens)} tokens
          {isRouted !== null && (isRouted ? ' · routed' : ' · not routed')}
        </span>
      </button>
    </li>
  );
}

const FIELDS = [
  { field: 'suite', label: 'Suite' },
  { field: 'task', label: 'Task' },
  { field: 'policy', label: 'Policy' },
  { field: 'templates', label: 'Templates' },
  { field: 'historyTokens', label: 'History' },
] as const;

/** A choice for every field in which the questions differ. */
function Filters({
  questions,
  filter,
}: {
  readonly questions: readonly QuestionSummary[];
  readonly filter: QuestionFilter;
}) {
  const { questions: model } = useModel();
  return (
    <div className="question-filters" role="group" aria-label="Which questions are listed">
      <label>
        <input
          type="checkbox"
          checked={filter.onlyWrong}
          onChange={(event) => {
            model.changeFilter({ onlyWrong: event.target.checked });
          }}
        />
        Wrong ones only
      </label>
      {FIELDS.map(({ field, label }) => {
        const values = [...new Set(questions.map((question) => question[field]))].filter(
          (value) => value !== null,
        );
        if (values.length < 2) return null;
        return (
          <label key={field}>
            {label}{' '}
            <select
              value={String(filter[field] ?? '')}
              onChange={(event) => {
                const chosen = values.find((value) => String(value) === event.target.value) ?? null;
                model.changeFilter({ [field]: chosen });
              }}
            >
              <option value="">all</option>
              {values.map((value) => (
                <option key={value} value={String(value)}>
                  {typeof value === 'number' ? `${formatCount(value)} tokens` : value}
                </option>
              ))}
            </select>
          </label>
        );
      })}
    </div>
  );
}

/** The raw blocks when the answer began, the highest score first. */
function BlocksInFocus({ question: { record, textOf } }: { readonly question: RecordedQuestion }) {
  const view = useRunView();
  const [most, setMost] = useState(FEW_BLOCKS);
  const blocks = rawBlocks(record);
  return (
    <section className="blocks-in-focus">
      <h4>Blocks in focus when the answer began</h4>
      <p className="muted small">
        {formatPlural(blocks.length, 'raw block')} of {formatPlural(record.layout.length, 'entry', 'entries')}
        ; {formatCount(Math.round(record.baseTokens))} base tokens, {formatCount(Math.round(record.ms))} ms.
      </p>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Blocks in focus">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Tokens</th>
              <th scope="col">Score</th>
              <th scope="col">Text</th>
            </tr>
          </thead>
          <tbody>
            {blocks.slice(0, most).map(({ start, end, score, isGold }) => (
              <tr key={start}>
                <th scope="row">
                  <button
                    type="button"
                    className="link"
                    onClick={() => {
                      view.select({ lod: 0, start, end });
                      view.viewport.focusSelection();
                    }}
                  >
                    {formatSpan(start, end)}
                  </button>
                  {isGold && <span className="gold-flag"> ▾ gold</span>}
                </th>
                <td className="tabular">{score === null ? '—' : score.toFixed(2)}</td>
                <td className="block-words" translate="no">
                  {textOf(start, end)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {blocks.length > most && (
        <button
          type="button"
          className="link"
          onClick={() => {
            setMost(blocks.length);
          }}
        >
          All {formatPlural(blocks.length, 'block')}
        </button>
      )}
    </section>
  );
}

interface RawBlock {
  readonly start: number;
  readonly end: number;
  readonly score: number | null;
  readonly isGold: boolean;
}

function rawBlocks({ layout, scores, gold }: ReadQuestion): RawBlock[] {
  const wanted = ({ score }: RawBlock): number => score ?? Number.NEGATIVE_INFINITY;
  const blocks = layout.flatMap(([lod, start, end], i): RawBlock[] => {
    const isGold = gold?.some(([from, to]) => from < end && start < to) ?? false;
    return lod === 0 ? [{ start, end, score: scores[i] ?? null, isGold }] : [];
  });
  return blocks.sort((a, b) => (wanted(a) === wanted(b) ? a.start - b.start : wanted(b) - wanted(a)));
}
