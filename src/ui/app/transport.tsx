/** The transport: moves the playhead through the recorded run and sets the pace of ingestion. */
import {
  ChevronFirst,
  ChevronLast,
  ChevronLeft,
  ChevronRight,
  Ellipsis,
  Pause,
  Play,
  Repeat,
  SkipBack,
  SkipForward,
} from 'lucide-react';
import { Scrubber } from '../view/scrubber.tsx';
import { SPEEDS } from '../model/playhead.ts';
import { formatCount } from '../words/format.ts';
import { Popover } from '../widgets/popover.tsx';
import { CommandButton } from '../view/command-button.tsx';
import { useModel, usePlayhead, useRecording, useRunView, useSession } from '../view/hooks.ts';

const PACES = [0, 250, 500, 1000, 1500, 2500, 5000] as const;

export function Transport() {
  const playing = usePlayhead((state) => state.playing);
  const empty = usePlayhead((state) => state.count === 0);
  return (
    <footer className="transport" aria-label="Playback">
      <div className="transport-buttons" role="group" aria-label="Playhead">
        <CommandButton id="first" icon={ChevronFirst} disabled={empty} className="wide-only" />
        <CommandButton id="previous-action" icon={SkipBack} disabled={empty} />
        <CommandButton id="back" icon={ChevronLeft} disabled={empty} />
        <CommandButton
          id="play"
          icon={playing ? Pause : Play}
          label={playing ? 'Pause the recording' : 'Play the recording'}
          className="play"
          disabled={empty}
        />
        <CommandButton id="forward" icon={ChevronRight} disabled={empty} />
        <CommandButton id="next-action" icon={SkipForward} disabled={empty} />
        <span className="wide-only">
          <LoopButton />
        </span>
      </div>
      <PageScrubber />
      <NewestButton />
      <span className="transport-paces wide-only">
        <Paces />
      </span>
      <span className="narrow-only">
        <Popover
          label="Speed, pace and loop"
          className="icon-button"
          button={<Ellipsis size={16} aria-hidden />}
        >
          {() => (
            <>
              <div className="button-row" role="group" aria-label="More of the playhead">
                <CommandButton id="first" icon={ChevronFirst} text="First" disabled={empty} />
                <LoopButton text="Loop" />
              </div>
              <Paces />
            </>
          )}
        </Popover>
      </span>
    </footer>
  );
}

function LoopButton({ text }: { readonly text?: string }) {
  const looping = usePlayhead((state) => state.looping);
  const marked = usePlayhead((state) => state.range !== null);
  const empty = usePlayhead((state) => state.count === 0);
  return (
    <CommandButton
      id="loop"
      icon={Repeat}
      label={marked ? 'Loop the marked range' : 'Loop the whole run; mark a range with I and O'}
      pressed={looping}
      className="loop"
      disabled={empty}
      {...(text === undefined ? {} : { text })}
    />
  );
}

/** How fast the recording plays, and how fast queued text is ingested. */
function Paces() {
  const { actions, view } = useModel();
  const speed = usePlayhead((state) => state.speed);
  const pace = useSession((state) => state.pace);
  return (
    <>
      <label className="field-inline">
        <span>Speed</span>
        <select
          value={speed}
          aria-label="Speed"
          onChange={(event) => {
            view.playhead.setSpeed(Number(event.target.value));
          }}
        >
          {SPEEDS.map((value) => (
            <option key={value} value={value}>
              {value}×
            </option>
          ))}
        </select>
      </label>
      <label className="field-inline" title="How fast queued text is ingested">
        <span>Ingest</span>
        <select
          value={pace}
          onChange={(event) => {
            void actions.setPace(Number(event.target.value));
          }}
        >
          {PACES.map((value) => (
            <option key={value} value={value}>
              {value === 0 ? 'as fast as it can' : `${formatCount(value)} tokens/s`}
            </option>
          ))}
        </select>
        <ReachedPace />
      </label>
    </>
  );
}

/** Within a tenth of what was asked, the pace is what it says. */
const NEARLY = 0.9;

function ReachedPace() {
  const asked = useSession((state) => state.pace);
  const reached = useSession((state) => (state.running ? state.reachedPace : null));
  if (reached === null || (asked > 0 && reached >= NEARLY * asked)) return null;
  const words = formatCount(Math.round(reached));
  return (
    <output
      className="muted tabular reached-pace"
      title={
        asked === 0
          ? `${words} tokens/s reached`
          : `Asked ${formatCount(asked)} tokens/s, ${words} reached: the machine is no faster`
      }
    >
      {words} reached
    </output>
  );
}

/** To the newest step and on with it; a recording grows no more, so that there it is the last step and nothing stays. */
function NewestButton() {
  const following = usePlayhead((state) => state.following);
  const empty = usePlayhead((state) => state.count === 0);
  const isRecorded = useRecording((state) => state.recording !== null);
  return isRecorded ? (
    <CommandButton
      id="newest"
      icon={ChevronLast}
      text="Last"
      label="Last step of the recording"
      className="newest"
      disabled={empty}
    />
  ) : (
    <CommandButton
      id="newest"
      icon={ChevronLast}
      text="Newest"
      label={following ? 'Following the newest step' : 'Follow the newest step'}
      pressed={following}
      className="newest"
      disabled={empty}
    />
  );
}

function PageScrubber() {
  const view = useRunView();
  return (
    <Scrubber
      label="Step"
      title="Refocus step / steps recorded"
      wordsOf={(index, count) => {
        const frame = view.run.frameAt(index);
        if (!frame) return { value: 'No steps yet', figures: 'no steps yet' };
        return {
          value: `Step ${frame.step} of ${count}`,
          figures: `${formatCount(index + 1)} / ${formatCount(count)}`,
        };
      }}
    />
  );
}
