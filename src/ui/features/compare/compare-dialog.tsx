/** Two runs on one playhead: choose them, play them, see where and how they part. */
import {
  ArrowLeftRight,
  ChevronLeft,
  ChevronRight,
  FileUp,
  GitFork,
  Pause,
  Play,
  SkipBack,
  SkipForward,
} from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useSyncExternalStore } from 'react';
import { chordOf, commandOfChord } from '../../commands/keymap.ts';
import { openBranch } from '../branch/branch-actions.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { IconButton } from '../../widgets/icon-button.tsx';
import { Problems } from '../../app/problems.tsx';
import { useSession } from '../../model/session-store.ts';
import { formatCount } from '../../words/format.ts';
import {
  COMPARE_COMMANDS,
  chooseFile,
  chooseRun,
  closeCompare,
  seekCompared,
  startCompareClock,
  swapSides,
  togglePlayingCompared,
} from './compare-actions.ts';
import { ComparePlot } from './compare-plot.tsx';
import { SIDES, type Side, useCompare } from './compare-store.ts';
import { MetricTable, ParameterDifferences, DivergenceList, placeWords } from './compare-tables.tsx';
import { AnswerTexts, ContextTexts } from './compare-texts.tsx';
import { runChoices } from './compared-source.ts';
import { alignBy, currentComparison, frameOf, hasEnded } from './comparison.ts';

export function CompareDialog() {
  const isReady = useCompare((state) => state.version >= 0 && state.count > 0);
  useEffect(startCompareClock, []);
  return (
    <Dialog title="Compare two runs" className="compare" onClose={closeCompare}>
      <div className="compare-body" onKeyDown={onKey}>
        <RunChoices />
        {isReady ? <Compared /> : <NothingYet />}
      </div>
      <Problems />
    </Dialog>
  );
}

/** The timeline's own keys, for the comparison's playhead. */
function onKey(event: KeyboardEvent): void {
  if (event.altKey || !(event.target instanceof Element)) return;
  if (event.target.closest('input, select, textarea')) return;
  const onButton = event.target.closest('button, a, summary') !== null;
  if (onButton && (event.key === ' ' || event.key === 'Enter')) return;
  const id = commandOfChord(chordOf(event))?.id;
  const run = id === undefined ? undefined : COMPARE_COMMANDS[id];
  if (!run) return;
  event.preventDefault();
  run();
}

function RunChoices() {
  const loading = useCompare((state) => state.loading);
  const mode = useCompare((state) => state.mode);
  const by = useCompare((state) => state.by);
  return (
    <div className="compare-choices">
      {SIDES.map((side) => (
        <RunChoiceField key={side} side={side} />
      ))}
      <IconButton icon={ArrowLeftRight} label="Swap A and B" onClick={swapSides} />
      <span className="spacer" />
      <div className="segmented" role="group" aria-label="Arrangement">
        {(['sides', 'overlaid'] as const).map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={mode === choice}
            onClick={() => {
              useCompare.setState({ mode: choice });
            }}
          >
            {choice === 'sides' ? 'Side by side' : 'Overlaid'}
          </button>
        ))}
      </div>
      <div className="segmented" role="group" aria-label="Same playhead by">
        {(['step', 'tokens'] as const).map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={by === choice}
            title={
              choice === 'step'
                ? 'Both runs at the same refocus step'
                : 'Both runs at the same length of the history'
            }
            onClick={() => {
              alignBy(choice);
            }}
          >
            {choice === 'step' ? 'By step' : 'By token'}
          </button>
        ))}
      </div>
      <p className="visually-hidden" role="status">
        {loading === null ? '' : `Reading ${loading.toUpperCase()}`}
      </p>
    </div>
  );
}

function RunChoiceField({ side }: { readonly side: Side }) {
  const chosen = useCompare((state) => state[side]);
  const isLoading = useCompare((state) => state.loading === side);
  useCompare((state) => state.files);
  useSession((state) => state.sessions);
  const picker = useRef<HTMLInputElement>(null);
  const choices = runChoices();
  const isListed = chosen === null || choices.some(({ id }) => id === chosen.id);
  return (
    <div className="compare-choice" aria-busy={isLoading}>
      <label>
        <strong className={`side-letter side-${side}`}>{side.toUpperCase()}</strong>
        <select
          aria-label={`Run ${side.toUpperCase()}`}
          value={chosen?.id ?? ''}
          onChange={(event) => {
            const choice = choices.find(({ id }) => id === event.target.value);
            if (choice) void chooseRun(side, choice);
          }}
        >
          {chosen === null && <option value="">{isLoading ? 'Reading…' : 'Choose a run…'}</option>}
          {!isListed && <option value={chosen.id}>{chosen.title}</option>}
          {choices.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <IconButton
        icon={FileUp}
        label={`Open a trace file as ${side.toUpperCase()}`}
        onClick={() => picker.current?.click()}
      />
      <input
        ref={picker}
        type="file"
        hidden
        accept=".jsonl,.gz,.jsonl.gz,application/jsonl,application/gzip"
        aria-label={`Trace file ${side.toUpperCase()}`}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = '';
          if (file) void chooseFile(side, file);
        }}
      />
    </div>
  );
}

function NothingYet() {
  const loading = useCompare((state) => state.loading);
  const missing = useCompare((state) => (state.a === null ? 'A' : state.b === null ? 'B' : null));
  if (loading !== null) return <p role="status">Reading run {loading.toUpperCase()}…</p>;
  return (
    <div className="compare-empty" role="status">
      <h3>{missing === null ? 'Nothing to compare yet' : `Run ${missing} is missing`}</h3>
      <p>Two runs stand on one playhead here. A second one comes from</p>
      <ul>
        <li>
          <button
            type="button"
            className="link"
            onClick={() => {
              closeCompare();
              openBranch();
            }}
          >
            <GitFork size={14} aria-hidden /> branching this session
          </button>{' '}
          from a step with other parameters,
        </li>
        <li>another session, chosen above,</li>
        <li>a trace file (.jsonl or .jsonl.gz) that was saved from any session,</li>
        <li>
          or the{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              const example = runChoices().find(({ id }) => id === 'example');
              if (example) void chooseRun(missing === 'A' ? 'a' : 'b', example);
            }}
          >
            shipped example
          </button>
          .
        </li>
      </ul>
    </div>
  );
}

function Compared() {
  const mode = useCompare((state) => state.mode);
  const by = useCompare((state) => state.by);
  const place = useSlowPlace();
  useCompare((state) => state.version);
  return (
    <>
      <div className={`compare-plots is-${mode}`}>
        {mode === 'sides' ? (
          SIDES.map((side) => (
            <div key={side} className="compare-column">
              <PlayheadWords side={side} place={place} />
              <ComparePlot sides={[side]} label={`Refocus steps of run ${side.toUpperCase()}`} />
            </div>
          ))
        ) : (
          <div className="compare-column" key="both">
            <div className="compare-heads">
              {SIDES.map((side) => (
                <PlayheadWords key={side} side={side} place={place} />
              ))}
            </div>
            <ComparePlot sides={SIDES} label="Refocus steps of both runs: A above, B below in each row" />
          </div>
        )}
      </div>
      <CompareTransport />
      <div className="compare-facts">
        <div className="compare-figures">
          <DivergenceList by={by} />
          <MetricTable place={place} />
          <ParameterDifferences place={place} />
        </div>
        <div className="compare-words">
          <AnswerTexts />
          <ContextTexts place={place} />
        </div>
      </div>
    </>
  );
}

function PlayheadWords({ side, place }: { readonly side: Side; readonly place: number }) {
  const title = useCompare((state) => state[side]?.title ?? '');
  const frame = frameOf(side, place);
  return (
    <p className="compare-head">
      <strong className={`side-letter side-${side}`}>{side.toUpperCase()}</strong>
      <span className="compare-title">{title}</span>
      <span className="muted tabular">
        {frame
          ? `step ${formatCount(frame.step)}, ${formatCount(frame.usedTokens)} of ${formatCount(frame.budgetTokens)} slots${hasEnded(side, place) ? ', ended' : ''}`
          : 'not begun'}
      </span>
    </p>
  );
}

function CompareTransport() {
  const playing = useCompare((state) => state.playing);
  const speed = useCompare((state) => state.speed);
  const run = (id: string) => () => {
    COMPARE_COMMANDS[id]?.();
  };
  return (
    <div className="compare-transport" role="group" aria-label="Playhead of both runs">
      <IconButton
        icon={SkipBack}
        label="Previous action in either run (,)"
        onClick={run('previous-action')}
      />
      <IconButton icon={ChevronLeft} label="One step back (←)" onClick={run('back')} />
      <IconButton
        icon={playing ? Pause : Play}
        label={playing ? 'Pause both (Space)' : 'Play both (Space)'}
        className="play"
        onClick={togglePlayingCompared}
      />
      <IconButton icon={ChevronRight} label="One step forward (→)" onClick={run('forward')} />
      <IconButton icon={SkipForward} label="Next action in either run (.)" onClick={run('next-action')} />
      <CompareScrubber />
      <span className="muted tabular">{speed}×</span>
    </div>
  );
}

/** Written directly: the playhead may move sixty times a second. */
function CompareScrubber() {
  const slider = useRef<HTMLInputElement>(null);
  const words = useRef<HTMLOutputElement>(null);
  useEffect(() => {
    const write = () => {
      const { place, count, by } = useCompare.getState();
      if (!slider.current || !words.current) return;
      slider.current.max = String(Math.max(count - 1, 0));
      slider.current.value = String(place);
      slider.current.style.setProperty('--filled', count > 1 ? `${(place / (count - 1)) * 100}%` : '0%');
      const told = placeWords(place, by);
      slider.current.setAttribute('aria-valuetext', told);
      words.current.textContent = told;
    };
    write();
    return useCompare.subscribe(write);
  }, []);
  return (
    <div className="scrubber">
      <input
        ref={slider}
        type="range"
        min={0}
        step={1}
        defaultValue={0}
        aria-label="Step of both runs"
        onInput={(event) => {
          seekCompared(Number(event.currentTarget.value));
        }}
      />
      <output ref={words} className="tabular" />
    </div>
  );
}

const SLOW_MS = 120;

/** The playhead for React views, a few times a second. */
function useSlowPlace(): number {
  return useSyncExternalStore(subscribeSlowly, () => useCompare.getState().place);
}

function subscribeSlowly(listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = useCompare.subscribe(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (currentComparison() !== null) listener();
    }, SLOW_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
