/** One knob: name, symbol, value, unit, slider, sentence, default, and what was wrong with the last input. */
import { RotateCcw } from 'lucide-react';
import { type ChangeEvent, type KeyboardEvent, useId, useState } from 'react';
import { type Parameter, readParameter } from '../../../core/parameters/parameters.ts';
import { useModel } from '../../view/hooks.ts';
import { formatCount, formatValue } from '../../words/format.ts';
import { sliderOf, valueOfSlider } from './parameter-slider.ts';

interface ParameterFieldProps {
  readonly parameter: Parameter;
  readonly value: number | string;
  readonly initial: number | string;
  readonly initialWord: string;
  readonly disabled: boolean;
  /** The choices that the model offers; absent for all. */
  readonly available: readonly string[] | undefined;
  /** @returns what is wrong with a value; null if it was taken. */
  readonly onChange: (changes: Readonly<Record<string, unknown>>) => Promise<string | null>;
}

export function ParameterField({
  parameter,
  value,
  initial,
  initialWord,
  disabled,
  available,
  onChange,
}: ParameterFieldProps) {
  const id = useId();
  const { shell } = useModel();
  /** What is being typed or dragged; null shows the engine's value. */
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const changed = value !== initial;

  const commit = async (next: number | string) => {
    const refused = next === value ? null : await onChange({ [parameter.id]: next });
    setError(refused);
    if (refused === null) setDraft(null);
  };
  const commitTyped = () => {
    if (draft === null) return;
    const reading = readParameter(parameter, draft);
    if (reading.ok) void commit(reading.value);
    else setError(`${asSentence(reading.message)} Kept ${formatValue(value)}.`);
  };
  const typed = draft === null || error !== null ? null : readParameter(parameter, draft);
  /** What both fields for typing have in common. */
  const field = {
    id,
    disabled,
    'aria-invalid': error !== null,
    'aria-describedby': `${id}-help`,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      setError(null);
      setDraft(event.target.value);
    },
    onBlur: commitTyped,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setDraft(null);
      setError(null);
    },
  };
  const dragged = Number(typed?.ok ? typed.value : value);

  return (
    <div className={`parameter ${changed ? 'is-changed' : ''}`}>
      <div className="parameter-head">
        <label htmlFor={id} title={parameter.sentence}>
          {parameter.label}
          {parameter.symbol && <span className="symbol"> {parameter.symbol}</span>}
        </label>
        {changed && (
          <button
            type="button"
            className="reset"
            disabled={disabled}
            aria-label={`Reset ${parameter.label} to ${formatValue(initial) || 'empty'}`}
            title={`Reset to ${formatValue(initial) || 'empty'}`}
            onClick={() => {
              setDraft(null);
              void commit(initial);
            }}
          >
            <RotateCcw size={12} aria-hidden />
          </button>
        )}
        {parameter.kind === 'choice' ? (
          <select
            id={id}
            value={value}
            disabled={disabled}
            aria-describedby={`${id}-help`}
            onChange={(event) => void commit(event.target.value)}
          >
            {parameter.choices.map((choice) => (
              <option key={choice} disabled={available?.includes(choice) === false}>
                {choice}
              </option>
            ))}
          </select>
        ) : parameter.kind === 'text' ? null : (
          <input
            {...field}
            type="text"
            inputMode="decimal"
            className="tabular"
            value={draft ?? formatValue(value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') commitTyped();
              field.onKeyDown(event);
            }}
          />
        )}
      </div>
      {parameter.kind === 'text' && <textarea {...field} rows={3} translate="no" value={draft ?? value} />}
      {(parameter.kind === 'integer' || parameter.kind === 'number') && (
        <div className="parameter-slider">
          <input
            type="range"
            min={0}
            max={1000}
            step={1}
            aria-label={`${parameter.label} slider`}
            aria-valuetext={`${formatValue(dragged)} ${parameter.unit}`}
            disabled={disabled}
            value={sliderOf(parameter, dragged)}
            style={{ '--filled': `${sliderOf(parameter, dragged) / 10}%` }}
            onChange={(event) => {
              setError(null);
              setDraft(String(valueOfSlider(parameter, Number(event.target.value))));
            }}
            onPointerUp={commitTyped}
            onKeyUp={commitTyped}
            onBlur={commitTyped}
          />
          <span className="unit" title={parameter.unit}>
            {parameter.unit}
          </span>
        </div>
      )}
      {error !== null && (
        <p className="parameter-error" role="alert">
          {error}
        </p>
      )}
      <p className="parameter-help" id={`${id}-help`}>
        {parameter.sentence}{' '}
        <span className="tabular">
          {initialWord} {formatValue(initial) || 'empty'}
          {rangeOf(parameter)}.
        </span>
      </p>
      <button
        type="button"
        className="link parameter-help"
        aria-label={`Definition behind ${parameter.label}`}
        onClick={() => {
          shell.setState({ definition: parameter.definition });
        }}
      >
        Definition
      </button>
    </div>
  );
}

function rangeOf(parameter: Parameter): string {
  if (parameter.kind === 'choice') return '';
  if (parameter.kind === 'text') return `, at most ${formatCount(parameter.maxCharacters)} characters`;
  return `, ${formatValue(parameter.min)}–${formatValue(parameter.max)}`;
}

function asSentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`;
}
