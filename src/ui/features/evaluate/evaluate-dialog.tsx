/** The evaluation panel: set up and run, watch, read, compare and export. */
import { Braces, FileUp, ListChecks, Table2, Trash2 } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useShallow } from 'zustand/react/shallow';
import type { EvaluationReport } from '../../../core/evaluation-report/report.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { IconButton } from '../../widgets/icon-button.tsx';
import { Problems } from '../../view/problems.tsx';
import { formatDuration, formatPercent } from '../../words/format.ts';
import { EvaluationContext, useEvaluation, useEvaluationState } from './evaluation-context.ts';
import { type Evaluation, shownRecords, shownReports } from './evaluation.ts';
import type { KeptReport } from './report-shelf.ts';
import { Results } from './results.tsx';
import { csvOf } from '../../../base/table.ts';
import { reportTable } from '../../../core/evaluation-report/report-table.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { SetupForm } from './setup-form.tsx';
import { useModel, useSession } from '../../view/hooks.ts';

export function EvaluateDialog({ evaluation }: { readonly evaluation: Evaluation }) {
  const { shell } = useModel();
  const isBooted = useSession((state) => state.boot !== null);
  useEffect(() => {
    if (isBooted && evaluation.store.getState().catalogue === null) void evaluation.loadCatalogue();
  }, [evaluation, isBooted]);
  return (
    <Dialog
      title="Evaluate"
      className="evaluate"
      onClose={() => {
        shell.setState({ dialog: null });
      }}
    >
      <EvaluationContext value={evaluation}>
        <div className="evaluate-layout">
          <div className="evaluate-setup">
            <SetupForm />
          </div>
          <div className="evaluate-results">
            <Reports />
            <Progress />
            <ShownResults />
          </div>
        </div>
      </EvaluationContext>
      <Problems />
    </Dialog>
  );
}

function Progress() {
  const running = useEvaluationState((state) => state.running);
  if (running === null) return null;
  const { share, label } = running.progress;
  return (
    <div className="evaluate-progress" role="status">
      <progress aria-label="Evaluation" value={share} max={1} />
      <span className="tabular">
        {formatPercent(share)} · {label}
        {running.leftMs !== null && ` · about ${formatDuration(running.leftMs)} to go`}
      </span>
    </div>
  );
}

function ShownResults() {
  const shown = useEvaluationState(
    useShallow(({ running, reports, records, shownId, comparedId }) => ({
      running,
      reports,
      records,
      shownId,
      comparedId,
    })),
  );
  const reports = shownReports(shown);
  if (reports.length > 0) return <Results shown={reports} records={shownRecords(shown)} />;
  if (shown.running !== null) return <p className="muted">The first figures come with the first history.</p>;
  return (
    <div className="evaluate-empty">
      <h3>No results yet</h3>
      <p>
        Choose tasks, policies and lengths, then run the evaluation: every policy answers the same questions
        on the same histories with the same budget.
      </p>
      <p>
        Or open a report that <code>npm run eval -- --json report.json</code> wrote, or the questions of{' '}
        <code>--records questions.jsonl</code>.
      </p>
    </div>
  );
}

function Reports() {
  const evaluation = useEvaluation();
  const { reports, shownId, comparedId, keptCount } = useEvaluationState(
    useShallow((state) => ({
      reports: state.reports,
      shownId: state.shownId,
      comparedId: state.comparedId,
      keptCount: state.keptCount,
    })),
  );
  const picker = useRef<HTMLInputElement>(null);
  const shown = reports.find(({ id }) => id === shownId);
  return (
    <section className="evaluate-reports" aria-label="Reports">
      {reports.length > 0 && (
        <div className="report-choice">
          <ReportSelect
            label="Shown"
            reports={reports}
            value={shownId ?? ''}
            onChange={(id) => {
              evaluation.showReport(id);
            }}
          />
          <ReportSelect
            label="Compared with (B)"
            none="Nothing"
            reports={reports.filter(({ id }) => id !== shownId)}
            value={comparedId ?? ''}
            onChange={(id) => {
              evaluation.compareWith(id === '' ? null : id);
            }}
          />
        </div>
      )}
      <div className="button-row">
        <button type="button" className="button" onClick={() => picker.current?.click()}>
          <FileUp size={14} aria-hidden /> Open a report or questions
        </button>
        {shown && <ReportButtons kept={shown} />}
      </div>
      <input
        ref={picker}
        type="file"
        hidden
        accept=".json,.jsonl,application/json"
        aria-label="Report file"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) void evaluation.openReport(file);
          event.target.value = '';
        }}
      />
      {shown && <About kept={shown} />}
      {keptCount < reports.length && (
        <p className="muted small">
          Only the newest {keptCount} of {reports.length} outlive a reload: the browser’s space is short. Save
          the others as JSON.
        </p>
      )}
    </section>
  );
}

function About({ kept: { report, isComplete } }: { readonly kept: KeptReport }) {
  const { model, backend, seed, commit } = report;
  return (
    <p className="muted small">
      {!isComplete && <strong>Ended early. </strong>}
      Model {model} on {backend}, seed {seed}
      {commit !== null && `, commit ${commit.slice(0, 10)}`}.
    </p>
  );
}

function ReportButtons({ kept: { id, name, report } }: { readonly kept: KeptReport }) {
  const evaluation = useEvaluation();
  const records = useEvaluationState((state) => state.records.get(id));
  const save = (extension: string, type: string, text: (report: EvaluationReport) => string) => () => {
    const base = name.replace(/\.json$/, '').replaceAll(/[^a-z0-9]+/gi, '-');
    saveFile(`${base}.${extension}`, new Blob([text(report)], { type }));
  };
  return (
    <>
      <button
        type="button"
        className="button"
        onClick={save('csv', 'text/csv', (report) => csvOf(reportTable(report)))}
      >
        <Table2 size={14} aria-hidden /> CSV
      </button>
      <button
        type="button"
        className="button"
        onClick={save('json', 'application/json', (whole) => JSON.stringify(whole))}
      >
        <Braces size={14} aria-hidden /> JSON
      </button>
      {records && (
        <button
          type="button"
          className="button"
          onClick={() => {
            saveFile(records.name, records);
          }}
        >
          <ListChecks size={14} aria-hidden /> Questions
        </button>
      )}
      <IconButton
        icon={Trash2}
        label={`Remove ${name}`}
        onClick={() => {
          evaluation.removeReport(id);
        }}
      />
    </>
  );
}

interface ReportSelectProps {
  readonly label: string;
  /** The words of choosing none; without it one has to be chosen. */
  readonly none?: string;
  readonly reports: readonly KeptReport[];
  readonly value: string;
  readonly onChange: (id: string) => void;
}

function ReportSelect({ label, none, reports, value, onChange }: ReportSelectProps) {
  return (
    <label className="field">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      >
        {none !== undefined && <option value="">{none}</option>}
        {reports.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
