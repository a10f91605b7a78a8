/** The form of a branch: from which step, and with which parameters instead of the original's. */
import { GitFork } from 'lucide-react';
import { type ComponentType, useId, useState } from 'react';
import { useStore } from 'zustand';
import { readNumber } from '../../../base/read-number.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { PARAMETERS } from '../../../core/parameters/parameters.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { holdEnter } from '../../widgets/hold-enter.ts';
import { Problems } from '../../view/problems.tsx';
import { formatCount, formatPlural, formatValue } from '../../words/format.ts';
import type { Branch } from './branch.ts';
import { useModel, useSession } from '../../view/hooks.ts';

interface ParametersProps {
  readonly values: RunConfig;
  readonly initial: RunConfig;
  readonly initialWord: 'Default' | 'Original';
  readonly disabled: boolean;
  readonly onChange: (changes: Readonly<Record<string, unknown>>) => Promise<string | null>;
}

interface BranchDialogProps {
  readonly branch: Branch;
  /** Fields for all parameters. */
  readonly parameters: ComponentType<ParametersProps>;
}

export function BranchDialog({ branch, parameters: Parameters }: BranchDialogProps) {
  const { shell, shown } = useModel();
  const form = useStore(branch.store, (state) => state.form);
  const starting = useStore(branch.store, (state) => state.starting);
  const title = useSession((state) => state.session?.record.title ?? '');
  const isAnswering = useSession((state) => state.session?.activity === 'answering');
  if (!form) return null;
  const { step, original, changes } = form;
  const run = shown.live;
  const frame = run.frameAt(run.indexOfStep(step));
  const first = run.frameAt(0)?.step ?? 1;
  const last = run.frameAt(run.frameCount - 1)?.step ?? 1;
  const changed = PARAMETERS.filter((parameter) => changes[parameter.id] !== undefined);
  return (
    <Dialog
      title="Branch from a step"
      className="branch"
      onClose={() => {
        shell.setState({ dialog: null });
      }}
    >
      <form
        className="branch-form"
        onKeyDown={holdEnter}
        onSubmit={(event) => {
          event.preventDefault();
          void branch.start();
        }}
      >
        <p className="muted">
          A new session begins with what <strong>{title}</strong> held at this step. The same tokens come in
          after it and the same questions are asked, with the parameters below; answers are generated anew.
          The original stays as it is.
        </p>
        <StepField
          step={step}
          first={first}
          last={last}
          words={`of ${formatCount(last)}${frame ? `; ${formatPlural(frame.cursor, 'token')} of history` : ''}`}
          onChange={(wanted) => {
            branch.setStep(wanted);
          }}
        />
        <section aria-label="What differs from the original" className="branch-changes" aria-live="polite">
          {changed.length === 0 ? (
            <p className="muted">Nothing differs yet: the branch would repeat its original exactly.</p>
          ) : (
            <ul>
              {changed.map(({ id: parameter, label }) => (
                <li key={parameter}>
                  {label}: {formatValue(original[parameter])} →{' '}
                  <strong>{formatValue(changes[parameter]!)}</strong>
                </li>
              ))}
            </ul>
          )}
        </section>
        <div className="branch-parameters">
          <Parameters
            values={{ ...original, ...changes }}
            initial={original}
            initialWord="Original"
            disabled={starting}
            onChange={(change) => Promise.resolve(branch.change(change))}
          />
        </div>
        <div className="branch-start">
          {isAnswering && <span className="muted">An answer is being decoded; wait for its end.</span>}
          <button type="submit" className="button primary" disabled={starting || isAnswering}>
            <GitFork size={14} aria-hidden /> {starting ? 'Starting…' : 'Start the branch'}
          </button>
        </div>
      </form>
      <Problems />
    </Dialog>
  );
}

interface StepFieldProps {
  readonly step: number;
  readonly first: number;
  readonly last: number;
  readonly words: string;
  readonly onChange: (step: number) => void;
}

/** What is typed counts once it is left or entered, and is refused in words, never clamped. */
function StepField({ step, first, last, words, onChange }: StepFieldProps) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const commit = () => {
    if (draft === null) return;
    const reading = readNumber(draft, { min: first, max: last, whole: true });
    setError(reading.ok ? null : `Step: ${reading.message}. Kept ${formatCount(step)}.`);
    if (!reading.ok) return;
    setDraft(null);
    onChange(reading.value);
  };
  return (
    <div className="branch-step">
      <label htmlFor={id}>From refocus step</label>
      <input
        id={id}
        type="text"
        inputMode="numeric"
        className="tabular"
        value={draft ?? String(step)}
        aria-invalid={error !== null}
        aria-describedby={`${id}-error`}
        onChange={(event) => {
          setError(null);
          setDraft(event.target.value);
        }}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
        }}
      />
      <span className="muted tabular">{words}</span>
      <span id={`${id}-error`} className="field-error" role="alert">
        {error}
      </span>
    </div>
  );
}
