/** The panel that trains LensNet on the open session: what there is to learn from, the run, and what came of it. */
import { Check, Download, FileUp, Pause, Play, RotateCcw, Trash2 } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import type { LensTrainingReport, RoutingMeasure } from '../../../runtime/engine/protocol/protocol.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { Missing } from '../../widgets/missing.tsx';
import { holdEnter } from '../../widgets/hold-enter.ts';
import { Problems } from '../../view/problems.tsx';
import { formatCount, formatDuration, formatPercent, formatPlural } from '../../words/format.ts';
import type { LensTraining } from './lens-training.ts';
import { TRAINING_FIELDS, readForm } from './training-form.ts';
import { CalibrationPlot, LossPlot } from './training-plots.tsx';
import { useModel, useSession } from '../../view/hooks.ts';
import { createInstanceContext } from '../../view/instance-context.ts';

const [LensTrainingContext, useLensTraining] = createInstanceContext<LensTraining>('training of LensNet');

export function LensTrainingDialog({ training }: { readonly training: LensTraining }) {
  const { shell } = useModel();
  const sessionId = useSession((state) => state.session?.record.id);
  const boot = useSession((state) => state.boot);
  const running = useSession((state) => state.running);
  const report = useStore(training.store, (state) => state.report);
  useEffect(() => {
    if (sessionId !== undefined) void training.request({ action: 'status' });
  }, [training, sessionId, boot, running]);
  return (
    <Dialog
      title="Train LensNet on this session"
      className="lens-training"
      onClose={() => {
        shell.setState({ dialog: null });
      }}
    >
      <p className="muted">
        Goes back to earlier places of this history, measures what each expansion and collapse would have done
        to the tokens that really came next, and teaches LensNet to score blocks accordingly; and asks the
        history about its own sentences, so that what is left of one finds the block it stands in. All of it
        runs here; you can close this panel meanwhile, and answers come first.
      </p>
      {report !== null && report.sessionId === sessionId ? (
        <LensTrainingContext value={training}>
          <Body report={report} />
        </LensTrainingContext>
      ) : (
        <p className="muted">The session is being opened…</p>
      )}
      <Problems />
    </Dialog>
  );
}

function Body({ report }: { readonly report: LensTrainingReport }) {
  const { phase, unsupported, options, losses, before, after } = report;
  if (unsupported !== null) return <p role="status">{unsupported}</p>;
  return (
    <>
      {phase === 'idle' ? <SetUp report={report} /> : <Run report={report} />}
      {before !== null && (
        <div className="lens-plots">
          {options !== null && <LossPlot losses={losses} steps={options.steps} />}
          <CalibrationPlot before={before} after={after} />
        </div>
      )}
      {before !== null && <Measures before={before} after={after} report={report} />}
      <InUse report={report} />
    </>
  );
}

function SetUp({ report: { supply } }: { readonly report: LensTrainingReport }) {
  const training = useLensTraining();
  const form = useStore(training.store, (state) => state.form);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const reading = readForm(form);
  const errors = reading.ok ? {} : reading.errors;
  if (supply.tokens < supply.neededTokens) {
    return (
      <p role="status">
        This history has {formatCount(supply.tokens)} tokens; at least {formatCount(supply.neededTokens)} are
        needed, so that there are places to look back from. Add a document or ask some questions, then come
        back.
      </p>
    );
  }
  return (
    <form
      className="lens-form"
      onKeyDown={holdEnter}
      onSubmit={(event) => {
        event.preventDefault();
        if (reading.ok) void training.request({ action: 'start', ...reading.options });
      }}
    >
      <p role="status">
        {formatPlural(supply.blocks, 'place')} to look back from: {formatPlural(supply.answers, 'answer')},{' '}
        {formatCount(supply.recurrences)} before something that was said already.{' '}
        {formatPlural(supply.sentences, 'sentence')} to ask about. A third of each is held out. A place is
        measured with some twenty passes of the base, a question with none: for a large base, set the places
        to 0.
        {supply.answers === 0 &&
          ' Ask a few questions first if you can: before an answer, looking back matters most.'}
      </p>
      <div className="lens-fields">
        {TRAINING_FIELDS.map(({ id, label, hint }) => (
          <label key={id} className="field">
            <span>
              {label} <span className="muted">{hint}</span>
            </span>
            <input
              type="text"
              inputMode="decimal"
              value={form[id]}
              aria-invalid={errors[id] !== undefined}
              aria-describedby={`lens-${id}-error`}
              onChange={(event) => {
                training.changeForm({ [id]: event.target.value });
              }}
            />
            <span className="field-error" id={`lens-${id}-error`}>
              {errors[id]}
            </span>
          </label>
        ))}
      </div>
      <button type="submit" className="button primary" disabled={!reading.ok || readOnly}>
        <Play size={14} aria-hidden /> Start
      </button>
    </form>
  );
}

function Run({ report }: { readonly report: LensTrainingReport }) {
  const { phase, collected, options, step, remainingMs, waiting, problem, hasCandidate } = report;
  const isCollecting = phase === 'collecting';
  const share = isCollecting ? shareOf(collected) : step / Math.max(1, options?.steps ?? step);
  return (
    <section className="lens-run" aria-label="Training run">
      <progress aria-label={isCollecting ? 'Collecting' : 'Training'} value={share} max={1} />
      <p role="status" className="tabular">
        {stateOf(report)}
        {remainingMs !== null && ` About ${formatDuration(remainingMs)} to go.`}
        {waiting && ' Waiting for the answer being decoded.'}
      </p>
      {problem !== null && (
        <p className="lens-problem">
          {problem.message} {problem.tryNext}
        </p>
      )}
      <div className="button-row">
        {phase === 'training' && (
          <RunButton action="pause" icon={Pause}>
            Pause
          </RunButton>
        )}
        {phase === 'paused' && (
          <RunButton action="resume" icon={Play}>
            Go on
          </RunButton>
        )}
        {hasCandidate && phase !== 'training' && (
          <RunButton action="keep" icon={Check} isPrimary>
            Keep
          </RunButton>
        )}
        <RunButton action="discard" icon={Trash2}>
          {isCollecting ? 'Cancel' : 'Discard'}
        </RunButton>
      </div>
    </section>
  );
}

interface RunButtonProps {
  readonly action: 'pause' | 'resume' | 'keep' | 'discard';
  readonly icon: typeof Play;
  readonly isPrimary?: boolean;
  readonly children: string;
}

function RunButton({ action, icon: Icon, isPrimary = false, children }: RunButtonProps) {
  const training = useLensTraining();
  return (
    <button
      type="button"
      className={isPrimary ? 'button primary' : 'button'}
      onClick={() => void training.request({ action })}
    >
      <Icon size={14} aria-hidden /> {children}
    </button>
  );
}

function shareOf(collected: LensTrainingReport['collected']): number {
  return collected === null ? 0 : collected.done / Math.max(1, collected.total);
}

function stateOf({ phase, collected, step, options, dataset }: LensTrainingReport): string {
  const steps = options === null ? String(step) : `${step} of ${options.steps}`;
  const data =
    dataset === null
      ? ''
      : ` ${formatPlural(dataset.trainQuestions, 'question')} and ${formatCount(dataset.trainMoves)} moves to learn from, ${formatCount(dataset.heldOutQuestions)} and ${formatCount(dataset.heldOutMoves)} held out; ${formatCount(dataset.tellingMoves)} of all moves changed the loss by 0.01 nats per token or more.`;
  switch (phase) {
    case 'collecting':
      if (collected === null || collected.done >= collected.total) return 'Asking the history about its own sentences.';
      return `Measuring place ${collected.done + 1} of ${collected.total}: ${formatPlural(collected.moves, 'move')} so far.`;
    case 'training':
      return `Step ${steps}.${data}`;
    case 'paused':
      return `Paused after step ${steps}.${data}`;
    case 'done':
      return `Done: ${formatPlural(step, 'step')}. Keep it to use it from the next refocus on.${data}`;
    case 'stopped':
      return `Stopped after step ${steps}.`;
    case 'idle':
    case 'unsupported':
      return '';
    default:
      return phase satisfies never;
  }
}

interface MeasuresProps {
  readonly before: RoutingMeasure;
  readonly after: RoutingMeasure | null;
  readonly report: LensTrainingReport;
}

function Measures({ before, after, report }: MeasuresProps) {
  const rows = [before, ...(after === null ? [] : [after])];
  const { k } = before.recall;
  return (
    <section aria-label="Held-out measures">
      <h3>On the held-out places</h3>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Held-out figures">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">LensNet</th>
              <th scope="col">Spearman of score and worth</th>
              <th scope="col">Answered freely</th>
              <th scope="col">Best expansion among its top {k}</th>
              <th scope="col">Sentence asked about among its top {k}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.step}>
                <th scope="row">{row.step === 0 ? 'before' : `after step ${row.step}`}</th>
                <td>
                  {row.spearman === null ? <Missing why="Fewer than two different moves could be ranked." /> : signed(row.spearman)}
                  <span className="interval muted">
                    {intervalOf(row.spearmanCi95, signed)} n = {row.points.length} moves,{' '}
                    {formatPlural(row.states, 'place')}
                  </span>
                </td>
                <td>
                  <AnsweredFigure answered={row.answered} />
                </td>
                <td>
                  <FoundFigure
                    found={row.recall}
                    why="At none of the places did an expansion gain 0.01 nats per token."
                    noun="place"
                  />
                </td>
                <td>
                  <FoundFigure found={row.cloze} why="No question was held out." noun="question" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="muted small">
        Answered freely: the held-out answers of this history, decoded again after the focus has settled, that
        say the same word for word. 95% intervals: bootstrap over places, Wilson. Only places where an expansion gained at least 0.01 nats
        per token count for the best expansion
        {report.dataset !== null && report.dataset.heldOutStates < 20
          ? '; with so few places held out, only large differences mean something.'
          : '.'}
      </p>
    </section>
  );
}

interface FoundFigureProps {
  readonly found: RoutingMeasure['recall'];
  readonly why: string;
  readonly noun: string;
}

function FoundFigure({ found: { hits, n, ci95 }, why, noun }: FoundFigureProps) {
  if (n === 0) return <Missing why={why} />;
  return (
    <>
      {formatPercent(hits / n)}
      <span className="interval muted">
        {intervalOf(ci95, formatPercent)} n = {formatPlural(n, noun)}
      </span>
    </>
  );
}

function AnsweredFigure({ answered }: Pick<RoutingMeasure, 'answered'>) {
  if (answered === null) return <Missing why="Answers are decoded before the first and after the last step." />;
  const { hits, n, ci95 } = answered;
  if (n === 0) return <Missing why="No answer of the history is among the held-out places." />;
  return (
    <>
      {formatPercent(hits / n)}
      <span className="interval muted">
        {intervalOf(ci95, formatPercent)} n = {formatPlural(n, 'answer')}
      </span>
    </>
  );
}

function signed(value: number): string {
  return value.toFixed(2).replace('-', '−');
}

function intervalOf(interval: readonly [number, number] | null, format: (value: number) => string): string {
  return interval === null ? '' : `[${format(interval[0])}, ${format(interval[1])}]`;
}

function InUse({
  report: { inUse, variant, phase, hasCandidate },
}: {
  readonly report: LensTrainingReport;
}) {
  const training = useLensTraining();
  const picker = useRef<HTMLInputElement>(null);
  const storage = useSession((state) => state.boot?.storage);
  const isRunning = phase === 'collecting' || phase === 'training';
  const own = inUse.origin !== 'shipped';
  return (
    <section className="lens-in-use" aria-label="LensNet in use">
      <h3>In use</h3>
      <p>
        {own
          ? `The LensNet that was ${inUse.origin === 'trained' ? 'trained on this session' : 'imported'} (${inUse.variant ?? ''}, ${inUse.mark ?? ''}); the trace names it.`
          : 'The model’s own LensNet.'}
        {own && inUse.isStored && ' It is stored with the session and comes back after a reload.'}
        {own &&
          !inUse.isStored &&
          ` It will not outlive this page (${storage?.reason ?? 'it could not be stored'}): export it to keep it.`}
      </p>
      {own && variant !== inUse.variant && (
        <p>
          The parameter “LensNet variant” asks for {variant} now: the one kept here scores while {inUse.variant}{' '}
          is asked for, and a run would train {variant}.
        </p>
      )}
      <div className="button-row">
        <button type="button" className="button" onClick={() => void training.exportWeights()}>
          <Download size={14} aria-hidden /> Export {hasCandidate ? 'the trained' : 'its'} weights
        </button>
        <button type="button" className="button" disabled={isRunning} onClick={() => picker.current?.click()}>
          <FileUp size={14} aria-hidden /> Import weights
        </button>
        {own && (
          <button
            type="button"
            className="button"
            disabled={isRunning}
            onClick={() => void training.request({ action: 'useShipped' })}
          >
            <RotateCcw size={14} aria-hidden /> Use the model’s own again
          </button>
        )}
      </div>
      <input
        ref={picker}
        type="file"
        hidden
        accept=".safetensors"
        aria-label="Weight file"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) void training.importWeights(file);
          event.target.value = '';
        }}
      />
    </section>
  );
}
