/** The transport: moves the playhead through the recorded run and sets the pace of ingestion. */
import {
  ChevronFirst,
  ChevronLast,
  ChevronLeft,
  ChevronRight,
  Pause,
  Play,
  Repeat,
  SkipBack,
  SkipForward,
} from 'lucide-react';
import { Scrubber } from '../view/scrubber.tsx';
import { SPEEDS } from '../model/playhead.ts';
import { formatCount } from '../words/format.ts';
import { CommandButton } from '../view/command-button.tsx';
import { useModel, usePlayhead, useRecording, useRunView, useSession } from '../view/hooks.ts';

const PACES = [0, 250, 500, 1000, 1500, 2500, 5000] as const;

export function Transport() {
  const { actions, view } = useModel();
  const playing = usePlayhead((state) => state.playing);
  const speed = usePlayhead((state) => state.speed);
  const looping = usePlayhead((state) => state.looping);
  const marked = usePlayhead((state) => state.range !== null);
  const empty = usePlayhead((state) => state.count === 0);
  const pace = useSession((state) => state.pace);
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
        <CommandButton
          id="loop"
          icon={Repeat}
          label={marked ? 'Loop the marked range' : 'Loop the whole run; mark a range with I and O'}
          pressed={looping}
          className="loop wide-only"
          disabled={empty}
        />
      </div>
      <PageScrubber />
      <NewestButton />
      <label className="field-inline wide-only">
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
      <label className="field-inline wide-only" title="How fast queued text is ingested">
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
      </label>
    </footer>
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
