/** The user's own questions: what the model answers as the history grows, and whether that is what was expected. */
import { Plus, RotateCw, X } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatCount, formatPlural } from '../../words/format.ts';
import { useSession } from '../../view/hooks.ts';
import { EVERY_TOKENS, type Probes } from './probes.ts';
import type { Probe } from './probe-store.ts';

const EVERY_WORDS: Readonly<Record<number, string>> = { 0: 'only when I ask', 1: 'at every refocus' };

export function ProbesPanel({ probes }: { readonly probes: Probes }) {
  const { probes: list, asking, everyTokens } = useStore(probes.store);
  const hasHistory = useSession((state) => (state.session?.cursor ?? 0) > 0);
  const ready = useSession((state) => state.phase === 'ready');
  const answered = list.filter(({ outcomes }) =>
    outcomes.slice(-1).some(({ isAnswered }) => isAnswered),
  ).length;
  const wasAsked = list.some(({ outcomes }) => outcomes.length > 0);
  return (
    <section className="panel-section probes" aria-label="Own questions">
      <details>
        <summary>
          <h2>Own questions</h2>
          {list.length > 0 && wasAsked && (
            <span className="muted tabular">
              {answered} of {list.length} answered
            </span>
          )}
        </summary>
        <p className="muted small">
          Asked beside the session with the focus that it has, decoded freely, and forgotten: history, chat
          and trace stay as they are.
        </p>
        {list.length > 0 && (
          <ul className="probe-list">
            {list.map((probe) => (
              <ProbeRow
                key={probe.id}
                probe={probe}
                isAsking={asking === probe.id}
                onRemove={() => {
                  probes.remove(probe.id);
                }}
              />
            ))}
          </ul>
        )}
        <AddForm probes={probes} disabled={!ready} />
        {list.length > 0 && (
          <div className="button-row">
            <button
              type="button"
              className="button"
              disabled={!ready || !hasHistory || asking !== null}
              title={hasHistory ? 'Ask all of them now' : 'There is no history yet'}
              onClick={() => void probes.askAll()}
            >
              <RotateCw size={14} aria-hidden /> {asking === null ? 'Ask all now' : 'Asking…'}
            </button>
            <label className="field-inline">
              <span>Ask</span>
              <select
                value={everyTokens}
                aria-label="When own questions are asked"
                onChange={(event) => {
                  probes.setEvery(Number(event.target.value));
                }}
              >
                {EVERY_TOKENS.map((value) => (
                  <option key={value} value={value}>
                    {EVERY_WORDS[value] ?? `every ${formatPlural(value, 'token')}`}
                  </option>
                ))}
              </select>
            </label>
          </div>
        )}
      </details>
    </section>
  );
}

interface ProbeRowProps {
  readonly probe: Probe;
  readonly isAsking: boolean;
  readonly onRemove: () => void;
}

function ProbeRow({ probe: { question, expected, outcomes }, isAsking, onRemove }: ProbeRowProps) {
  const right = outcomes.filter(({ isAnswered }) => isAnswered).length;
  return (
    <li>
      <div className="probe-head">
        <span className="probe-question" translate="no">
          {question}
        </span>
        <IconButton icon={X} label={`Remove “${question}”`} onClick={onRemove} />
      </div>
      <p className="muted small">
        Expected: <span translate="no">{expected.join('; ')}</span>
      </p>
      {outcomes.length > 0 && (
        <div
          className="probe-outcomes"
          role="img"
          aria-label={`Answered ${right} of ${formatPlural(outcomes.length, 'time')}`}
        >
          {outcomes.map(({ cursor, isAnswered, answer }, at) => (
            <i
              key={at}
              className={isAnswered ? 'is-answered' : ''}
              title={`At ${formatPlural(cursor, 'token')}: ${answer}`}
            />
          ))}
        </div>
      )}
      <p className="small" role="status">
        {isAsking ? 'Asking…' : outcomes.length === 0 && 'Not asked yet.'}
        {!isAsking &&
          outcomes.slice(-1).map(({ isAnswered, cursor, answer }) => (
            <span key={cursor}>
              <strong>{isAnswered ? 'Answered' : 'Not answered'}</strong> at {formatCount(cursor)} tokens:{' '}
              <span translate="no">{answer || '(nothing)'}</span>
            </span>
          ))}
      </p>
    </li>
  );
}

const MAX_QUESTION = 2000;
const MAX_EXPECTED = 200;

function AddForm({ probes, disabled }: { readonly probes: Probes; readonly disabled: boolean }) {
  const [question, setQuestion] = useState('');
  const [expected, setExpected] = useState('');
  const values = expected
    .split(';')
    .map((value) => value.trim())
    .filter((value) => value !== '');
  const isComplete = question.trim() !== '' && values.length > 0;
  return (
    <form
      className="probe-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isComplete) return;
        probes.add(question.trim(), values);
        setQuestion('');
        setExpected('');
      }}
    >
      <input
        type="text"
        aria-label="Own question"
        placeholder="A question about the history"
        maxLength={MAX_QUESTION}
        value={question}
        disabled={disabled}
        onChange={(event) => {
          setQuestion(event.target.value);
        }}
      />
      <input
        type="text"
        aria-label="Expected in the answer"
        placeholder="Expected words; several with semicolons"
        maxLength={MAX_EXPECTED}
        value={expected}
        disabled={disabled}
        onChange={(event) => {
          setExpected(event.target.value);
        }}
      />
      <button type="submit" className="button" disabled={disabled || !isComplete}>
        <Plus size={14} aria-hidden /> Add question
      </button>
    </form>
  );
}
