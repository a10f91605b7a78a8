/** The form of a branch: from which step, and with which parameters instead of the original's. */
import { GitFork } from 'lucide-react';
import { type ComponentType, useId } from 'react';
import { useStore } from 'zustand';
import type { RunConfig } from '../../../core/trace/config.ts';
import { PARAMETERS } from '../../../core/trace/parameters.ts';
import { Dialog } from '../../widgets/dialog.tsx';
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
  const id = useId();
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
        <label className="branch-step" htmlFor={id}>
          <span>From refocus step</span>
          <input
            id={id}
            type="number"
            min={first}
            max={last}
            value={step}
            onChange={(event) => {
              const wanted = event.target.valueAsNumber;
              if (Number.isFinite(wanted))
                branch.setStep(Math.min(Math.max(Math.round(wanted), first), last));
            }}
          />
          <span className="muted tabular">
            of {formatCount(last)}
            {frame && `; ${formatPlural(frame.cursor, 'token')} of history`}
          </span>
        </label>
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
