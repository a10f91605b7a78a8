/** What pruning would take, takes and gives back: a dry run with its figures, and the record of what was moved. */
import { Archive, ArchiveRestore, FlaskConical } from 'lucide-react';
import { useState } from 'react';
import { countNodes } from '../../../core/tree/node-runs.ts';
import type { PruningReport } from '../../../runtime/engine/protocol/protocol.ts';
import type { Pruning } from '../../model/run.ts';
import { Missing } from '../../widgets/missing.tsx';
import { formatBytes, formatCount, formatNats, formatPlural } from '../../words/format.ts';
import { pruningSentence } from '../../words/pruning.ts';
import { useModel, useRunView, useSession } from '../../view/hooks.ts';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';

/** Nodes of a dry run whose loss is measured: each costs two passes of the base. */
const MEASURED_NODES = 8;
const RECORDS_SHOWN = 8;

type Activity = 'plan' | 'prune' | 'restore';

export function PruningPanel() {
  const { engine, intake } = useModel();
  const sessionId = useSession((state) => state.session?.record.id ?? null);
  const cold = useSession((state) => state.session?.cold ?? null);
  const readOnly = useSession((state) => state.session?.readOnly ?? true);
  const [planned, setPlanned] = useState<{ readonly of: string; readonly report: PruningReport } | null>(
    null,
  );
  const [activity, setActivity] = useState<Activity | null>(null);
  if (sessionId === null || cold === null) return null;
  const report = planned?.of === sessionId ? planned.report : null;
  const nodes = report === null ? 0 : countNodes(report.runs);

  const during = async (what: Activity, work: () => Promise<void>): Promise<void> => {
    setActivity(what);
    await work();
    setActivity(null);
  };
  const plan = () =>
    during('plan', async () => {
      const answer = await engine.attempt('The dry run failed', {
        kind: 'planPruning',
        measure: MEASURED_NODES,
      });
      if (answer) setPlanned({ of: sessionId, report: answer });
    });
  const prune = () =>
    during('prune', async () => {
      const state = await engine.attempt('Nothing was pruned', { kind: 'prune', runs: [...report!.runs] });
      if (state) intake.showState(state);
      setPlanned(null);
    });
  const restore = () =>
    during('restore', async () => {
      const state = await engine.attempt('Not everything was restored', { kind: 'restorePruned' });
      if (state) intake.showState(state);
      setPlanned(null);
    });

  return (
    <section className="panel-section" aria-label="Pruning">
      <h2>Pruning</h2>
      <p className="muted small" role="status">
        {cold.nodes === 0
          ? 'Nothing is in the cold tier. A dry run says which unused detail could go, and what losing it would cost.'
          : `${formatPlural(cold.nodes, 'node')} with ${formatBytes(cold.bytes)} are in the cold tier: they cannot be expanded until they are restored. Their text can still be read and searched.`}
      </p>
      <div className="button-row">
        <button
          type="button"
          className="button"
          disabled={readOnly || activity !== null}
          onClick={() => void plan()}
        >
          <FlaskConical size={14} aria-hidden /> {activity === 'plan' ? 'Measuring…' : 'Dry run'}
        </button>
        <button
          type="button"
          className="button"
          disabled={readOnly || nodes === 0 || activity !== null}
          onClick={() => void prune()}
        >
          <Archive size={14} aria-hidden /> {nodes === 0 ? 'Prune' : `Prune ${formatCount(nodes)}`}
        </button>
        <button
          type="button"
          className="button"
          disabled={readOnly || cold.nodes === 0 || activity !== null}
          onClick={() => void restore()}
        >
          <ArchiveRestore size={14} aria-hidden /> Restore all
        </button>
      </div>
      {report !== null && <DryRun report={report} />}
      <Records />
    </section>
  );
}

function DryRun({ report }: { readonly report: PruningReport }) {
  const levels = report.levels.filter(({ total }) => total > 0);
  return (
    <>
      <table className="figures" translate="no">
        <caption className="small">
          {report.runs.length === 0
            ? 'The rules let nothing go now. Lower “Idle before pruning”, or raise “Accesses that keep”.'
            : `Would go at step ${formatCount(report.step)}: ${formatBytes(report.bytes)}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Level</th>
            <th scope="col" className="number">
              Nodes
            </th>
            <th scope="col" className="number">
              Bytes
            </th>
            <th scope="col" className="number">
              ΔNLL
            </th>
          </tr>
        </thead>
        <tbody>
          {levels.map(({ lod, nodes, total, bytes, measured }) => (
            <tr key={lod}>
              <th scope="row">{lod === 0 ? 'raw' : `LOD${lod}`}</th>
              <td className="number">
                {formatCount(nodes)} of {formatCount(total)}
              </td>
              <td className="number">{formatBytes(bytes)}</td>
              <td
                className="number"
                title={
                  measured
                    ? `Mean of ${formatPlural(measured.nodes, 'measured node')}, nats/token; at most ${formatNats(measured.maxDeltaNll)}`
                    : undefined
                }
              >
                {measured ? (
                  formatNats(measured.meanDeltaNll)
                ) : (
                  <Missing why="None of these nodes could be measured on the newest tokens." />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted small">
        ΔNLL is measured on up to {MEASURED_NODES} nodes: the newest tokens are predicted with each of them in
        the window and with its gist instead. What costs too much has left the list.
      </p>
    </>
  );
}

/** The newest moves to the cold tier and back, with their checksums. */
function Records() {
  const view = useRunView();
  useShownIndexSlowly();
  const records = view.run.prunings.slice(-RECORDS_SHOWN).toReversed();
  if (records.length === 0) return null;
  return (
    <details>
      <summary>Record of moves</summary>
      <ol className="actions" translate="no">
        {records.map(({ from, event }, i) => (
          <li key={`${from}:${i}`}>
            <button
              type="button"
              title="Go to this step"
              onClick={() => {
                view.seekTo(Math.min(from, view.run.frameCount - 1));
              }}
            >
              <strong>{event.action === 'prune' ? 'Pruned' : 'Restored'}</strong>
              <span className="muted tabular">step {formatCount(event.step)}</span>
            </button>
            <p className="muted small">{pruningSentence(event)}</p>
            <p className="muted small tabular">{checksumsOf(event)}</p>
          </li>
        ))}
      </ol>
    </details>
  );
}

const CHECKSUMS_SHOWN = 3;

function checksumsOf({ runs }: Pruning['event']): string {
  const shown = runs.slice(0, CHECKSUMS_SHOWN).map(({ lod, first, count, checksum }) => {
    return `LOD${lod} ${first}–${first + count - 1}: ${checksum.toString(16).padStart(8, '0')}`;
  });
  const rest = runs.length - shown.length;
  return `CRC-32 ${shown.join(', ')}${rest > 0 ? ` and ${formatCount(rest)} more in the trace` : ''}`;
}
