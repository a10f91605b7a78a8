/** The form of an evaluation: what to ask of whom, how often; what it costs; run and cancel. */
import { Play, Square } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { holdEnter } from '../../widgets/hold-enter.ts';
import { formatCompact, formatCount, formatDuration } from '../../words/format.ts';
import { comparedBy, type EvaluateForm, type FormErrors, readForm } from './evaluate-form.ts';
import { useEvaluation, useEvaluationState } from './evaluation-context.ts';
import { estimateWork } from './work-estimate.ts';
import { useSession } from '../../view/hooks.ts';

export function SetupForm() {
  const evaluation = useEvaluation();
  const change = (changes: Partial<EvaluateForm>) => {
    evaluation.changeForm(changes);
  };
  const form = useEvaluationState((state) => state.form);
  const catalogue = useEvaluationState((state) => state.catalogue);
  const isRunning = useEvaluationState((state) => state.running !== null);
  const isBooted = useSession((state) => state.boot !== null);
  const suite = catalogue?.suites.find(({ id }) => id === form.suite);
  const compared = suite === undefined ? 'policies' : comparedBy(suite);
  const reading = readForm(form, compared);
  const errors: FormErrors = reading.ok ? {} : reading.errors;
  if (catalogue === null || suite === undefined) {
    return <p className="muted">{isBooted ? 'Reading what can be evaluated…' : 'The model is loading…'}</p>;
  }
  return (
    <form
      className="evaluate-form"
      onKeyDown={holdEnter}
      onSubmit={(event) => {
        event.preventDefault();
        if (reading.ok && !isRunning) void evaluation.start(reading.options);
      }}
    >
      <fieldset disabled={isRunning}>
        {catalogue.suites.length > 1 && (
          <label className="field">
            <span>Suite</span>
            <select
              value={form.suite}
              onChange={(event) => {
                const chosen = catalogue.suites.find(({ id }) => id === event.target.value)!;
                change({
                  suite: chosen.id,
                  tasks: chosen.defaultTasks,
                  policies: chosen.defaultPolicies,
                  arms: chosen.defaultArms,
                  ...(!chosen.hasTemplates && { templates: 'core' as const }),
                });
              }}
            >
              {catalogue.suites.map(({ id }) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        )}
        {suite.hasTemplates && (
          <label className="field">
            <span>Forms of facts and questions</span>
            <select
              value={form.templates}
              onChange={(event) => {
                change({ templates: event.target.value as EvaluateForm['templates'] });
              }}
            >
              <option value="core">core: those that the shipped weights know</option>
              <option value="trained">trained: all that training in the wider language shows</option>
              <option value="held-out">held-out: such as no training shows</option>
            </select>
          </label>
        )}
        <Choices
          legend="Tasks"
          choices={suite.tasks}
          chosen={form.tasks}
          error={errors.tasks}
          onChange={(tasks) => {
            change({ tasks });
          }}
        />
        {compared === 'policies' && (
          <Choices
            legend="Policies"
            choices={catalogue.policies}
            chosen={form.policies}
            error={errors.policies}
            onChange={(policies) => {
              change({ policies });
            }}
          />
        )}
        {compared === 'arms' && (
          <Choices
            legend="Ways to read"
            choices={suite.arms.map((id) => ({ id, sentence: '' }))}
            chosen={form.arms}
            error={errors.arms}
            onChange={(arms) => {
              change({ arms });
            }}
          />
        )}
        {compared === null && (
          <p className="muted small">This suite compares ways of placing slots, not policies.</p>
        )}
        <div className="field-grid">
          <Field
            field="lengths"
            label="Lengths of history"
            hint="4x = 4 budgets"
            form={form}
            errors={errors}
          />
          <Field field="budget" label="Budget" hint="tokens" form={form} errors={errors} />
          <Field field="samples" label="Questions a cell" form={form} errors={errors} />
          <Field field="seed" label="Seed" form={form} errors={errors} />
        </div>
      </fieldset>
      {reading.ok && <Estimate reading={reading.options} />}
      {reading.ok && <RoomWarning budgetTokens={reading.options.budgetTokens} />}
      {isRunning ? (
        <CancelButton />
      ) : (
        <button type="submit" className="button primary" disabled={!reading.ok}>
          <Play size={14} aria-hidden /> Run the evaluation
        </button>
      )}
      <p className="muted small">It runs beside the open session, which stays usable and becomes slower.</p>
    </form>
  );
}

function CancelButton() {
  const evaluation = useEvaluation();
  const isCancelling = useEvaluationState((state) => state.running?.isCancelling ?? false);
  return (
    <button type="button" className="button" disabled={isCancelling} onClick={() => void evaluation.cancel()}>
      <Square size={14} aria-hidden /> {isCancelling ? 'Cancelling…' : 'Cancel'}
    </button>
  );
}

function Estimate({ reading }: { readonly reading: Parameters<typeof estimateWork>[0] }) {
  const msPerSlot = useEvaluationState((state) => state.msPerSlot);
  const { answers, compressedTokens, readSlots, durationMs } = estimateWork(reading, msPerSlot);
  return (
    <p className="small" role="status">
      <strong>{formatCount(answers)} answers</strong>: about {formatCompact(compressedTokens)} tokens to
      compress and {formatCompact(readSlots)} slots to read
      {durationMs === null ? '.' : `; about ${formatDuration(durationMs)} at the pace of the last run.`}
    </p>
  );
}

/** Where the newest tokens fill the budget, no policy can show anything else. */
function RoomWarning({ budgetTokens }: { readonly budgetTokens: number }) {
  const recentTokens = useSession((state) => state.boot?.defaults.recentTokens ?? 0);
  if (budgetTokens >= 2 * recentTokens) return null;
  return (
    <p className="small" role="status">
      The newest {formatCount(recentTokens)} tokens always stay raw: a budget of {formatCount(budgetTokens)}{' '}
      leaves the policies little or nothing to choose.
    </p>
  );
}

interface ChoicesProps {
  readonly legend: string;
  readonly choices: readonly { readonly id: string; readonly sentence: string }[];
  readonly chosen: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (chosen: readonly string[]) => void;
}

function Choices({ legend, choices, chosen, error, onChange }: ChoicesProps) {
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      <div className="choice-grid">
        {choices.map(({ id, sentence }) => (
          <label key={id} title={sentence}>
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              onChange={(event) => {
                const next = new Set(chosen);
                if (event.target.checked) next.add(id);
                else next.delete(id);
                onChange(choices.filter((choice) => next.has(choice.id)).map((choice) => choice.id));
              }}
            />
            {id}
          </label>
        ))}
      </div>
      <FieldError>{error}</FieldError>
    </fieldset>
  );
}

interface FieldProps {
  readonly field: 'lengths' | 'budget' | 'samples' | 'seed';
  readonly label: string;
  readonly hint?: string;
  readonly form: EvaluateForm;
  readonly errors: FormErrors;
}

function Field({ field, label, hint, form, errors }: FieldProps) {
  const evaluation = useEvaluation();
  const id = useId();
  const error = errors[field];
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {hint !== undefined && <span className="muted">{hint}</span>}
      </label>
      <input
        id={id}
        type="text"
        inputMode={field === 'lengths' ? 'text' : 'numeric'}
        value={form[field]}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-error`}
        onChange={(event) => {
          evaluation.changeForm({ [field]: event.target.value });
        }}
      />
      <FieldError id={`${id}-error`}>{error}</FieldError>
    </div>
  );
}

function FieldError({ id, children }: { readonly id?: string; readonly children: ReactNode }) {
  return (
    <p id={id} className="field-error" role="alert">
      {children}
    </p>
  );
}
