/** The results of one report, or of two compared: what they are of, plots, and the table. */
import { useState } from 'react';
import { formatCount, formatPlural } from '../../words/format.ts';
import { useEvaluation } from './evaluation-context.ts';
import { PlotFigure, Swatch } from './plot-figure.tsx';
import { type FigureText, resultTable } from './results-rows.ts';
import {
  DRAWN_POLICIES,
  PLOT_IDS,
  PLOTS,
  type ShownReport,
  policiesOf,
  policySlot,
  scopesOf,
  seriesOf,
} from './series.ts';

interface ResultsProps {
  readonly shown: readonly ShownReport[];
  /** The questions behind the first report; null where the page has none. */
  readonly records: File | null;
}

export function Results({ shown, records }: ResultsProps) {
  const reports = shown.map(({ report }) => report);
  const suites = [...new Set(reports.flatMap((report) => report.suites.map(({ suite }) => suite)))];
  const [chosenSuite, setSuite] = useState('');
  const [chosenTask, setTask] = useState('');
  const [chosenLength, setLength] = useState(0);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const suite = suites.includes(chosenSuite) ? chosenSuite : (suites[0] ?? '');
  const scopes = scopesOf(reports, suite);
  const task = scopes.tasks.includes(chosenTask) ? chosenTask : (scopes.tasks[0] ?? '');
  const historyTokens = scopes.lengths.includes(chosenLength) ? chosenLength : (scopes.lengths.at(-1) ?? 0);
  const policies = policiesOf(reports, suite);
  const hidden = new Set(policies.filter((policy, i) => i >= DRAWN_POLICIES !== toggled.has(policy)));
  const slotOf = (policy: string): number => policySlot(policy, policies);
  // Points can be told apart where lines cannot: every policy is on the plot of costs, but those put away by hand.
  const putAway = new Set(policies.filter((policy, i) => i < DRAWN_POLICIES && toggled.has(policy)));
  const plots = PLOT_IDS.map((plot) => ({
    plot,
    series: seriesOf(plot, shown, { suite, task, historyTokens, hidden: plot === 'cost' ? putAway : hidden }),
  }));
  const absent = plots.filter(({ series }) => series.length === 0);
  const about = `${suite} ${task} ${formatCount(historyTokens)} tokens`;
  return (
    <>
      <div className="scope">
        {suites.length > 1 && <Select label="Suite" values={suites} value={suite} onChange={setSuite} />}
        <Select label="Task" values={scopes.tasks} value={task} onChange={setTask} />
        <Select
          label="History"
          values={scopes.lengths.map(String)}
          value={String(historyTokens)}
          wordsOf={(length) => `${formatCount(Number(length))} tokens`}
          onChange={(length) => {
            setLength(Number(length));
          }}
        />
        <div className="policy-toggles" role="group" aria-label="Policies in the plots">
          {policies.map((policy) => (
            <button
              key={policy}
              type="button"
              aria-pressed={!hidden.has(policy)}
              onClick={() => {
                const next = new Set(toggled);
                if (!next.delete(policy)) next.add(policy);
                setToggled(next);
              }}
            >
              <svg width="13" height="12" viewBox="0 -6 13 12" aria-hidden="true">
                <Swatch slot={slotOf(policy)} />
              </svg>
              {policy}
            </button>
          ))}
        </div>
      </div>
      <div className="plots">
        {plots
          .filter(({ series }) => series.length > 0)
          .map(({ plot, series }) => (
            <PlotFigure key={plot} plot={plot} series={series} slotOf={slotOf} about={about} />
          ))}
      </div>
      {absent.length > 0 && (
        <ul className="absent muted small" aria-label="Plots that these cells do not give">
          {absent.map(({ plot }) => (
            <li key={plot}>
              <strong>{PLOTS[plot].title}:</strong> {PLOTS[plot].absence}
            </li>
          ))}
        </ul>
      )}
      <ResultTable shown={shown} suite={suite} records={records} />
    </>
  );
}

interface SelectProps {
  readonly label: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly wordsOf?: (value: string) => string;
  readonly onChange: (value: string) => void;
}

function Select({ label, values, value, wordsOf = (text) => text, onChange }: SelectProps) {
  return (
    <label>
      {label}{' '}
      <select
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      >
        {values.map((one) => (
          <option key={one} value={one}>
            {wordsOf(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

function ResultTable({ shown, suite, records }: ResultsProps & { readonly suite: string }) {
  const evaluation = useEvaluation();
  const { columns, rows } = resultTable(shown, suite);
  const second = shown[1];
  return (
    <>
      <h3>All cells</h3>
      <p className="muted small">
        Mean, and 95% interval: Wilson’s for shares, bootstrap for the rest, both by whole histories.
        {second !== undefined && ` Differences are to B, ${second.name}.`} Where a figure is “—”, point at it
        to see why.
        {records !== null && ' Press a count of wrong answers to look at them one by one on the timeline.'}
      </p>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="All cells">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">History</th>
              <th scope="col">Policy</th>
              <th scope="col">n</th>
              {records !== null && <th scope="col">Wrong</th>}
              {columns.map(({ id, label, unit, sentence }) => (
                <th key={id} scope="col" title={sentence}>
                  {label}
                  {unit !== '' && <span className="muted"> {unit}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, n, wrong, figures, ...cell }) => (
              <tr key={key}>
                <td>
                  {cell.task}
                  {cell.templates !== null && cell.templates !== 'seen' && ` (${cell.templates})`}
                </td>
                <td>{formatCount(cell.historyTokens)}</td>
                <th scope="row">{cell.policy}</th>
                <td>{formatCount(n)}</td>
                {records !== null && (
                  <WrongAnswers
                    wrong={wrong}
                    about={`${cell.policy}, ${cell.task}, ${formatCount(cell.historyTokens)} tokens`}
                    onOpen={() => void evaluation.openWrong(records, { suite, ...cell })}
                  />
                )}
                {figures.map((figure, i) => (
                  <Figure key={columns[i]!.id} {...figure} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface WrongAnswersProps {
  readonly wrong: number | null;
  /** Names the cell. */
  readonly about: string;
  readonly onOpen: () => void;
}

function WrongAnswers({ wrong, about, onOpen }: WrongAnswersProps) {
  if (wrong === null) return <td>—</td>;
  if (wrong === 0) return <td>0</td>;
  return (
    <td>
      <button
        type="button"
        className="link"
        aria-label={`Show the ${formatPlural(wrong, 'wrong answer')} of ${about}`}
        onClick={onOpen}
      >
        {formatCount(wrong)}
      </button>
    </td>
  );
}

function Figure({ text, interval, why, difference }: FigureText) {
  return (
    <td title={why === '' ? undefined : why}>
      {text}
      {why !== '' && <span className="visually-hidden">: {why}</span>}
      {interval !== '' && <span className="muted interval">{interval}</span>}
      {difference !== '' && <span className="difference">{difference}</span>}
    </td>
  );
}
