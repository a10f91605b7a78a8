/** The transport: moves the playhead through the recorded run and sets the pace of ingestion. */
import {
  ChevronFirst,
  ChevronLeft,
  ChevronRight,
  Pause,
  Play,
  Radio,
  Repeat,
  SkipBack,
  SkipForward,
} from 'lucide-react';
import { useRef } from 'react';
import { runCommand } from '../commands/commands.ts';
import { seekTo } from '../commands/view-actions.ts';
import { currentRun } from '../model/current-run.ts';
import { setPace } from '../model/session-actions.ts';
import { useShownFrame } from '../model/shown-frame.ts';
import { SPEEDS, usePlayback } from '../model/playback-store.ts';
import { useSession } from '../model/session-store.ts';
import { formatCount } from '../words/format.ts';
import { CommandButton, IconButton } from '../widgets/icon-button.tsx';

const PACES = [0, 250, 500, 1000, 1500, 2500, 5000] as const;

export function Transport() {
  const playing = usePlayback((state) => state.playing);
  const following = usePlayback((state) => state.following);
  const speed = usePlayback((state) => state.speed);
  const looping = usePlayback((state) => state.looping);
  const marked = usePlayback((state) => state.range !== null);
  const empty = usePlayback((state) => state.count === 0);
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
      <Scrubber />
      <IconButton
        icon={Radio}
        text="Live"
        label={following ? 'Following live' : 'Follow live (End)'}
        pressed={following}
        className="live"
        disabled={empty}
        onClick={() => {
          runCommand('live');
        }}
      />
      <label className="field-inline wide-only">
        <span>Speed</span>
        <select
          value={speed}
          aria-label="Speed"
          onChange={(event) => {
            usePlayback.setState({ speed: Number(event.target.value) });
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
            void setPace(Number(event.target.value));
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

/** The slider and its figures are written directly: the playhead may move sixty times a second. */
function Scrubber() {
  const slider = useRef<HTMLInputElement>(null);
  const words = useRef<HTMLOutputElement>(null);
  useShownFrame((frame) => {
    if (!slider.current || !words.current) return;
    const count = currentRun.frameCount;
    const index = frame?.index ?? 0;
    slider.current.max = String(Math.max(count - 1, 0));
    slider.current.value = String(index);
    slider.current.disabled = count === 0;
    slider.current.style.setProperty('--filled', count > 1 ? `${(index / (count - 1)) * 100}%` : '0%');
    showRange(slider.current, count);
    slider.current.setAttribute('aria-valuetext', frame ? `Step ${frame.step} of ${count}` : 'No steps yet');
    words.current.textContent = frame ? `${formatCount(index + 1)} / ${formatCount(count)}` : 'no steps yet';
  });
  return (
    <div className="scrubber">
      <input
        ref={slider}
        type="range"
        min={0}
        defaultValue={0}
        step={1}
        aria-label="Step"
        onInput={(event) => {
          seekTo(Number(event.currentTarget.value));
        }}
      />
      <output ref={words} className="tabular" title="Refocus step / steps recorded" />
    </div>
  );
}

/** The marked range as a band on the slider. */
function showRange(slider: HTMLInputElement, count: number): void {
  const { range } = usePlayback.getState();
  const share = (index: number) => `${(index / Math.max(count - 1, 1)) * 100}%`;
  slider.style.setProperty('--range-from', share(range?.first ?? 0));
  slider.style.setProperty('--range-to', share(range?.last ?? 0));
}
