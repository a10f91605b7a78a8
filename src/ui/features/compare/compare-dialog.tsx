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
import { type ComponentType, type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { commandMeant } from '../../commands/keymap.ts';
import { startPlayheadClock } from '../../model/playhead-clock.ts';
import { CommandButton } from '../../view/command-button.tsx';
import { CommandsContext, RunViewContext, useCommands, usePlayhead, useSession } from '../../view/hooks.ts';
import { createInstanceContext } from '../../view/instance-context.ts';
import { Problems } from '../../view/problems.tsx';
import { Scrubber } from '../../view/scrubber.tsx';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatCount } from '../../words/format.ts';
import { headName } from '../../words/heads.ts';
import { DivergenceList, MetricTable, ParameterDifferences, placeWords } from './compare-tables.tsx';
import { AnswerTexts, ContextTexts } from './compare-texts.tsx';
import type { Compare, CompareState } from './compare.ts';
import type { Comparison } from './comparison.ts';
import { SIDES, type Side } from './sides.ts';

const [CompareContext, useCompare] = createInstanceContext<Compare>('comparison of runs');

function useCompareState<T>(selector: (state: CompareState) => T): T {
  return useStore(useCompare().store, selector);
}

/** A timeline of the view that it stands in. */
type TimelineComponent = ComponentType<{ readonly label: string; readonly children: ReactNode }>;

interface CompareDialogProps {
  readonly compare: Compare;
  readonly timeline: TimelineComponent;
}

export function CompareDialog({ compare, timeline }: CompareDialogProps) {
  const comparison = useStore(compare.store, (state) => state.comparison);
  useEffect(() => startPlayheadClock(compare.playhead), [compare]);
  return (
    <Dialog
      title="Compare two runs"
      className="compare"
      onClose={() => {
        compare.close();
      }}
    >
      <CompareContext value={compare}>
        <div
          className="compare-body"
          onKeyDown={(event) => {
            onKey(event, compare);
          }}
        >
          <RunChoices />
          {comparison && comparison.count > 0 ? (
            <Compared comparison={comparison} timeline={timeline} />
          ) : (
            <NothingYet />
          )}
        </div>
      </CompareContext>
      <Problems />
    </Dialog>
  );
}

/** The timeline's own keys, for the comparison's playhead. */
function onKey(event: KeyboardEvent, { commands }: Compare): void {
  if (event.altKey || event.defaultPrevented || !(event.target instanceof Element)) return;
  if (event.target.closest('input, select, textarea')) return;
  const onButton = event.target.closest('button, a, summary') !== null;
  if (onButton && (event.key === ' ' || event.key === 'Enter')) return;
  const command = commandMeant(event, commands);
  if (!command) return;
  event.preventDefault();
  command.run();
}

function RunChoices() {
  const compare = useCompare();
  const loading = useCompareState((state) => state.loading);
  const arrangement = useCompareState((state) => state.arrangement);
  const by = useCompareState((state) => state.by);
  return (
    <div className="compare-choices">
      {SIDES.map((side) => (
        <RunChoiceField key={side} side={side} />
      ))}
      <IconButton
        icon={ArrowLeftRight}
        label="Swap A and B"
        onClick={() => {
          compare.swapSides();
        }}
      />
      <span className="spacer" />
      <div className="segmented" role="group" aria-label="Arrangement">
        {(['sides', 'stacked'] as const).map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={arrangement === choice}
            onClick={() => {
              compare.arrange(choice);
            }}
          >
            {choice === 'sides' ? 'Side by side' : 'Stacked'}
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
              compare.alignBy(choice);
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
  const compare = useCompare();
  const chosen = useCompareState((state) => state[side]);
  const isLoading = useCompareState((state) => state.loading === side);
  useSession((state) => state.sessions);
  const picker = useRef<HTMLInputElement>(null);
  const choices = compare.sources.choices();
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
            if (choice) void compare.choose(side, choice);
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
        accept=".jsonl,.gz,.jsonl.gz,.json,.txt,application/jsonl,application/gzip"
        aria-label={`Trace file ${side.toUpperCase()}`}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = '';
          if (file) void compare.chooseFile(side, file);
        }}
      />
    </div>
  );
}

function NothingYet() {
  const compare = useCompare();
  const commands = useCommands();
  const loading = useCompareState((state) => state.loading);
  const missing = useCompareState((state) => (state.a === null ? 'A' : state.b === null ? 'B' : null));
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
              compare.close();
              commands.run('branch');
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
              const example = compare.sources.choices().find(({ id }) => id === 'example');
              if (example) void compare.choose(missing === 'A' ? 'a' : 'b', example);
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

interface ComparedProps {
  readonly comparison: Comparison;
  readonly timeline: TimelineComponent;
}

const SLOW_MS = 120;

function Compared({ comparison, timeline: Timeline }: ComparedProps) {
  const { views, commands } = useCompare();
  const arrangement = useCompareState((state) => state.arrangement);
  return (
    <>
      <div className={`compare-plots is-${arrangement}`}>
        {SIDES.map((side) => (
          <RunViewContext key={side} value={views[side]}>
            <Timeline label={`Timeline of ${side.toUpperCase()}`}>
              <PlayheadWords side={side} comparison={comparison} />
            </Timeline>
          </RunViewContext>
        ))}
      </div>
      <RunViewContext value={views.a}>
        <CommandsContext value={commands}>
          <CompareTransport comparison={comparison} />
        </CommandsContext>
        <Facts comparison={comparison} />
      </RunViewContext>
    </>
  );
}

function Facts({ comparison }: { readonly comparison: Comparison }) {
  const place = useShownIndexSlowly(SLOW_MS);
  return (
    <div className="compare-facts">
      <div className="compare-figures">
        <DivergenceList comparison={comparison} />
        <MetricTable comparison={comparison} place={place} />
        <ParameterDifferences comparison={comparison} place={place} />
      </div>
      <div className="compare-words">
        <AnswerTexts comparison={comparison} />
        <ContextTexts comparison={comparison} place={place} />
      </div>
    </div>
  );
}

interface PlayheadWordsProps {
  readonly side: Side;
  readonly comparison: Comparison;
}

function PlayheadWords({ side, comparison }: PlayheadWordsProps) {
  const title = useCompareState((state) => state[side]?.title ?? '');
  const place = useShownIndexSlowly(SLOW_MS);
  const frame = comparison.frameOf(side, place);
  return (
    <p className="compare-head">
      <strong className={`side-letter side-${side}`}>{side.toUpperCase()}</strong>
      <span className="compare-title">{title}</span>
      <span className="muted tabular">
        {frame
          ? `step ${formatCount(frame.step)}, ${formatCount(frame.usedTokens)} of ${formatCount(frame.budgetTokens)} slots${comparison.hasEnded(side, place) ? ', ended' : ''}`
          : 'not begun'}
      </span>
      <HeadChoice side={side} comparison={comparison} place={place} />
    </p>
  );
}

/** Which head of a run is shown, each with what it holds; nothing where there is but one. */
function HeadChoice({ side, comparison, place }: PlayheadWordsProps & { readonly place: number }) {
  const compare = useCompare();
  const run = comparison.runOf(side);
  const index = comparison.indexOf(side, place);
  if (run.headIds.length < 2) return null;
  return (
    <select
      aria-label={`Head of ${side.toUpperCase()}`}
      value={comparison.heads[side]}
      onChange={(event) => {
        compare.showHead(side, Number(event.target.value));
      }}
    >
      {run.headIds.map((id) => {
        const used = run.ofHead(id)?.frameAt(index)?.usedTokens;
        return (
          <option key={id} value={id}>
            {headName(id)}
            {used === undefined ? '' : `: ${formatCount(used)} slots`}
          </option>
        );
      })}
    </select>
  );
}

function CompareTransport({ comparison }: { readonly comparison: Comparison }) {
  const playing = usePlayhead((state) => state.playing);
  const speed = usePlayhead((state) => state.speed);
  return (
    <div className="compare-transport" role="group" aria-label="Playhead of both runs">
      <CommandButton id="previous-action" icon={SkipBack} label="Previous action in either run" />
      <CommandButton id="back" icon={ChevronLeft} />
      <CommandButton
        id="play"
        icon={playing ? Pause : Play}
        label={playing ? 'Pause both' : 'Play both'}
        className="play"
      />
      <CommandButton id="forward" icon={ChevronRight} />
      <CommandButton id="next-action" icon={SkipForward} label="Next action in either run" />
      <Scrubber
        label="Step of both runs"
        wordsOf={(place) => {
          const words = placeWords(place, comparison);
          return { value: words, figures: words };
        }}
      />
      <span className="muted tabular">{speed}×</span>
    </div>
  );
}
