/** Where the engine's time goes: stages, operations and kernels, what focus costs, and the machine's limits beside. */
import { Eraser, FileJson, FileSpreadsheet, Gauge } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import type { ProfileTally } from '../../../core/profile/profile.ts';
import { type MachineLimits, focusCost } from '../../../core/profile/roofline.ts';
import { useModel, useSession } from '../../view/hooks.ts';
import { Problems } from '../../view/problems.tsx';
import { Dialog } from '../../widgets/dialog.tsx';
import { formatBytes, formatCount, formatDuration, formatPercent, formatPlural } from '../../words/format.ts';
import { ProfileTable } from './profile-table.tsx';
import { type ProfileSpan, type ProfileView, shownTally } from './profile-view.ts';

const READ_EVERY_MS = 1000;
const GIGA = 1e9;

const SPANS: readonly { readonly span: ProfileSpan; readonly label: string }[] = [
  { span: 'turn', label: 'Last turn' },
  { span: 'all', label: 'Everything' },
];

export function ProfileDialog({ profile }: { readonly profile: ProfileView }) {
  const { shell } = useModel();
  const boot = useSession((state) => state.boot);
  const { report, span } = useStore(profile.store);
  useReading(profile, boot !== null);
  const tally = shownTally(report, span);
  return (
    <Dialog
      title="Profile"
      className="profile"
      onClose={() => {
        shell.setState({ dialog: null });
      }}
    >
      <p className="muted small">
        Measured in the engine’s worker by its own clock, while it works; probes and evaluations count among
        the operations, not among the stages. A stage holds the operations that it asks for.
      </p>
      {boot === null ? <p role="status">No model is loaded yet.</p> : <Tools profile={profile} />}
      {boot !== null && tally === null && (
        <p role="status">
          {span === 'turn' ? 'No question was asked yet. Ask one, or look at everything.' : 'Reading…'}
        </p>
      )}
      {tally !== null && <Figures tally={tally} limits={report?.limits ?? null} />}
      <Problems />
    </Dialog>
  );
}

/** Again and again while the dialog is open; a failure is told once. */
function useReading(profile: ProfileView, isBooted: boolean): void {
  useEffect(() => {
    if (!isBooted) return;
    let isOpen = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      if ((await profile.act('read')) && isOpen) timer = setTimeout(() => void read(), READ_EVERY_MS);
    };
    void read();
    return () => {
      isOpen = false;
      clearTimeout(timer);
    };
  }, [profile, isBooted]);
}

function Tools({ profile }: { readonly profile: ProfileView }) {
  const { report, span, isMeasuring } = useStore(profile.store);
  const isEmpty = shownTally(report, span) === null;
  return (
    <div className="profile-tools">
      <div className="segmented" role="group" aria-label="Span">
        {SPANS.map(({ span: each, label }) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === span}
            onClick={() => {
              profile.show(each);
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <label title="Slower while it is on: every kernel of LensNet and GistNet is timed by itself.">
        <input
          type="checkbox"
          checked={report?.timesKernels ?? false}
          disabled={report === null}
          onChange={(event) => void profile.act(event.target.checked ? 'time-kernels' : 'skip-kernels')}
        />{' '}
        Time every kernel
      </label>
      <button
        type="button"
        className="button"
        disabled={isMeasuring}
        onClick={() => void profile.act('measure')}
      >
        <Gauge size={14} aria-hidden /> {isMeasuring ? 'Measuring…' : 'Measure this machine'}
      </button>
      <button type="button" className="button" onClick={() => void profile.act('clear')}>
        <Eraser size={14} aria-hidden /> Clear
      </button>
      <button
        type="button"
        className="button"
        disabled={isEmpty}
        onClick={() => {
          profile.save('csv');
        }}
      >
        <FileSpreadsheet size={14} aria-hidden /> CSV
      </button>
      <button
        type="button"
        className="button"
        disabled={isEmpty}
        onClick={() => {
          profile.save('json');
        }}
      >
        <FileJson size={14} aria-hidden /> JSON
      </button>
    </div>
  );
}

interface FiguresProps {
  readonly tally: ProfileTally;
  readonly limits: MachineLimits | null;
}

function Figures({ tally, limits }: FiguresProps) {
  if (tally.rows.length === 0) return <p role="status">Nothing was done since it was cleared.</p>;
  return (
    <>
      <Focus tally={tally} />
      <ProfileTable group="stage" title="Stages" tally={tally} limits={limits} />
      <ProfileTable group="operation" title="Operations" tally={tally} limits={limits} />
      <ProfileTable group="kernel" title="Kernels" tally={tally} limits={limits} />
      <p className="muted small tabular">
        {limits === null
          ? 'Measure this machine to see what each row must take at least: its bytes at the bandwidth or its arithmetic at the peak, whichever is longer, and the start of its kernels.'
          : `This machine on this backend: ${formatBytes(limits.bytesPerSecond)}/s, ${(limits.flopsPerSecond / GIGA).toPrecision(3)} GFLOP/s, ${microseconds(limits.dispatchMs)} to start a kernel.`}{' '}
        {overhead(tally, limits)}
      </p>
    </>
  );
}

function Focus({ tally }: { readonly tally: ProfileTally }) {
  const cost = focusCost(tally.answers);
  if (cost === null) {
    return (
      <p className="muted small">
        What focus costs is known once an answer of two tokens was decoded in this span.
      </p>
    );
  }
  return (
    <p className="profile-focus tabular" role="status">
      Focus took {formatDuration(cost.focusMs)} a decoded token, {formatPercent(cost.share)} of the{' '}
      {formatDuration(cost.decodeMs)} that decoding one takes: score, allocate, assemble and repair of the
      cache, over {formatPlural(cost.tokens, 'token')} of answers.
    </p>
  );
}

/** What measuring itself took. */
function overhead({ records, elapsedMs }: ProfileTally, limits: MachineLimits | null): string {
  const counted = `${formatCount(records)} records in ${formatDuration(elapsedMs)}`;
  if (limits === null || elapsedMs <= 0) return `${counted}.`;
  const share = (records * limits.recordMs) / elapsedMs;
  return `${counted}, each ${microseconds(limits.recordMs)}: ${(100 * share).toPrecision(2)}% of the time.`;
}

function microseconds(ms: number): string {
  return `${(ms * 1000).toPrecision(2)} µs`;
}
