/**
 * The first minute of a first visit: the recorded example plays while the model loads, then the page hands over
 * to the live session on the same example. Never while the user is looking at something.
 */
import type { Model } from '../model/model.ts';
import type { Commands } from '../commands/commands.ts';
import { commandOfPress } from '../commands/keymap.ts';
import type { Page } from './page.ts';
import { EXAMPLE_ID } from '../model/example.ts';

const STORAGE_KEY = 'megacontext-playground.visited';
const TRACE_FILE = `${EXAMPLE_ID}.trace.jsonl.gz`;
/** Fast enough to see focus move within the seconds that a model loads. */
const PLAYED_SPEED = 4;
/** Live steps that make the hand-over worth it: fewer would leave the plot all but empty. */
const LIVE_STEPS = 24;
/** Where a recording is looked at; a hand there takes hold of it. */
const LOOKED_AT = '.timeline, .transport, .inspector';

/** Play the recorded example if this is a first visit and the address names nothing else. Never throws. */
export async function playFirstMinute({ model, commands, pageLink, tour }: Page): Promise<void> {
  const { mirror, recordings, firstMinute, view } = model;
  if (!isFirstVisit()) return;
  tour.offer();
  if (pageLink.readAddress() !== null) return;
  let file: File;
  try {
    const response = await fetch(`./examples/${TRACE_FILE}`);
    if (!response.ok) return;
    file = new File([await response.blob()], TRACE_FILE);
  } catch {
    return;
  }
  if (mirror.getState().phase === 'ready') return;
  // Nobody asked for it: who is in the chat already stays there.
  await recordings.open(file, { comesForward: false });
  if (recordings.state.recording?.file !== file) return;
  const { speed } = view.playhead.state;
  firstMinute.setState({ playing: true, touched: false });
  view.playhead.setSpeed(PLAYED_SPEED);
  view.playhead.togglePlaying();
  handOver(file, speed, model, commands);
}

/** Watch until the live session has something to show, and go there unless the user took hold of the recording. */
function handOver(file: File, speed: number, model: Model, commands: Commands): void {
  const { mirror, recordings, firstMinute, shown, view } = model;
  const touch = (event: Event) => {
    if (takesHold(event, commands)) firstMinute.setState({ touched: true });
  };
  const events = ['pointerdown', 'keydown', 'wheel'] as const;
  const check = () => {
    const isShown = recordings.state.recording?.file === file;
    const isLive = mirror.getState().phase === 'ready' && shown.live.frameCount >= LIVE_STEPS;
    const { touched, playing } = firstMinute.getState();
    if (isShown && !(isLive && !touched)) return;
    stopAll();
    if (playing) firstMinute.setState({ playing: false });
    if (isShown) recordings.close();
    if (view.playhead.state.speed === PLAYED_SPEED) view.playhead.setSpeed(speed);
  };
  for (const event of events) addEventListener(event, touch, { capture: true, passive: true });
  const stops = [mirror.subscribe(check), recordings.store.subscribe(check), firstMinute.subscribe(check)];
  const stopAll = () => {
    for (const stop of stops) stop();
    for (const event of events) removeEventListener(event, touch, { capture: true });
  };
}

/**
 * Whether an event takes hold of the recording: a hand on what shows it, or a key that moves through it. Reading the
 * tour, closing it or typing elsewhere does not.
 */
export function takesHold(event: Event, commands: Pick<Commands, 'ofChord'>): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.type !== 'keydown') return target?.closest(LOOKED_AT) != null;
  const command = commandOfPress(event as KeyboardEvent, target, commands);
  if (command === undefined)
    return target?.closest(LOOKED_AT) != null && isKeyOfSliders(event as KeyboardEvent);
  return (command.group === 'Playback' || command.group === 'View') && command.id !== 'deselect';
}

/** A slider or button under the focus moves by these itself. */
function isKeyOfSliders({ key }: KeyboardEvent): boolean {
  return (
    key === ' ' ||
    key === 'Enter' ||
    key.startsWith('Arrow') ||
    key.startsWith('Page') ||
    key === 'Home' ||
    key === 'End'
  );
}

function isFirstVisit(): boolean {
  try {
    const visited = localStorage.getItem(STORAGE_KEY) !== null;
    localStorage.setItem(STORAGE_KEY, 'yes');
    return !visited;
  } catch {
    return false;
  }
}
